// store/rocksdb_env.cc: RocksDB's file system on the disk port. No exception leaves it: it throws
// none, and no memory is a broken promise here as everywhere.
extern "C" {
#include "os/file.h"
}
#include "store/rocksdb_env.h"

#include <rocksdb/env.h>
#include <rocksdb/file_system.h>

#include <cstring>

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

// What the C interface passes around; its first member is all that RocksDB's own code reads, and
// the second keeps the environment from being taken for the default one.
struct rocksdb_env_t {
  rocksdb::Env *rep;
  bool is_default;
};

namespace {

IOStatus status_of(const struct err &err) {
  switch (static_cast<int>(err.code)) {
  case ERR_NOT_FOUND: return IOStatus::PathNotFound(err.detail);
  case ERR_CORRUPT: return IOStatus::Corruption(err.detail);
  case ERR_FULL: return IOStatus::NoSpace(err.detail);
  default: return IOStatus::IOError(err.detail);
  }
}

IOStatus status(bool good, const struct err &err) {
  return good ? IOStatus::OK() : status_of(err);
}

// The port refuses empty parts, which RocksDB makes freely.
std::string clean(const std::string &path) {
  std::string out;
  for (char c : path)
    if (c != '/' || (!out.empty() && out.back() != '/')) out += c;
  while (!out.empty() && out.back() == '/') out.pop_back();
  return out;
}

class Open {
public:
  explicit Open(struct file *file) : file_(file) {
  }
  ~Open() {
    file_close(&file_);
  }
  Open(const Open &) = delete;
  Open &operator=(const Open &) = delete;

  IOStatus read(uint64_t offset, size_t n, Slice *result, char *scratch) const {
    struct err err;
    size_t len = 0;
    if (!file_read(file_, offset, scratch, n, &len, &err)) return status_of(err);
    *result = Slice(scratch, len);
    return IOStatus::OK();
  }
  struct file *get() const {
    return file_;
  }

private:
  struct file *file_;
};

class Sequential : public rocksdb::FSSequentialFile {
public:
  explicit Sequential(struct file *file) : open_(file) {
  }
  IOStatus Read(size_t n, const IOOptions &, Slice *result, char *scratch,
                IODebugContext *) override {
    IOStatus done = open_.read(at_, n, result, scratch);
    if (done.ok()) at_ += result->size();
    return done;
  }
  IOStatus Skip(uint64_t n) override {
    at_ += n;
    return IOStatus::OK();
  }

private:
  Open open_;
  uint64_t at_ = 0;
};

class RandomAccess : public rocksdb::FSRandomAccessFile {
public:
  explicit RandomAccess(struct file *file) : open_(file) {
  }
  IOStatus Read(uint64_t offset, size_t n, const IOOptions &, Slice *result, char *scratch,
                IODebugContext *) const override {
    return open_.read(offset, n, result, scratch);
  }

private:
  Open open_;
};

class Writable : public rocksdb::FSWritableFile {
public:
  using rocksdb::FSWritableFile::Append;
  Writable(struct file *file, uint64_t bytes) : open_(file), bytes_(bytes) {
  }
  IOStatus Append(const Slice &data, const IOOptions &, IODebugContext *) override {
    struct err err;
    struct bytes bytes = bytes_of(data.data(), data.size());
    if (!file_write(open_.get(), bytes_, bytes, &err)) return status_of(err);
    bytes_ += data.size();
    return IOStatus::OK();
  }
  IOStatus Flush(const IOOptions &, IODebugContext *) override {
    return IOStatus::OK();
  }
  IOStatus Sync(const IOOptions &, IODebugContext *) override {
    struct err err;
    return status(file_sync(open_.get(), &err), err);
  }
  IOStatus Close(const IOOptions &, IODebugContext *) override {
    struct err err;
    return status(file_truncate(open_.get(), bytes_, &err), err);
  }
  uint64_t GetFileSize(const IOOptions &, IODebugContext *) override {
    return bytes_;
  }

private:
  Open open_;
  uint64_t bytes_;
};

class Directory : public rocksdb::FSDirectory {
public:
  Directory(struct disk *disk, std::string path) : disk_(disk), path_(std::move(path)) {
  }
  IOStatus Fsync(const IOOptions &, IODebugContext *) override {
    struct err err;
    return status(disk_sync_dir(disk_, path_.c_str(), &err), err);
  }

private:
  struct disk *disk_;
  std::string path_;
};

class Lock : public rocksdb::FileLock {
public:
  explicit Lock(struct file *file) : open_(file) {
  }

private:
  Open open_;
};

// RocksDB's log tells of keys now and then: it is not kept.
class Silence : public rocksdb::Logger {
public:
  using rocksdb::Logger::Logv;
  void Logv(const char *, va_list) override {
  }
  size_t GetLogFileSize() const override {
    return 0;
  }
};

bool add_name(void *arg, const char *name) {
  static_cast<std::vector<std::string> *>(arg)->push_back(name);
  return true;
}

class Files : public rocksdb::FileSystem {
public:
  explicit Files(struct disk *disk) : disk_(disk) {
  }
  const char *Name() const override {
    return "medulla";
  }

  IOStatus NewSequentialFile(const std::string &path, const FileOptions &,
                             std::unique_ptr<rocksdb::FSSequentialFile> *result,
                             IODebugContext *) override {
    return open<Sequential>(path, result);
  }
  IOStatus NewRandomAccessFile(const std::string &path, const FileOptions &,
                               std::unique_ptr<rocksdb::FSRandomAccessFile> *result,
                               IODebugContext *) override {
    return open<RandomAccess>(path, result);
  }
  IOStatus NewWritableFile(const std::string &path, const FileOptions &,
                           std::unique_ptr<rocksdb::FSWritableFile> *result,
                           IODebugContext *) override {
    struct file *file;
    struct err err;
    const unsigned mode = FILE_WRITE | FILE_CREATE | FILE_TRUNCATE;
    if (!file_open(disk_, clean(path).c_str(), mode, &file, &err)) return status_of(err);
    result->reset(new Writable(file, 0));
    return IOStatus::OK();
  }
  IOStatus NewDirectory(const std::string &path, const IOOptions &,
                        std::unique_ptr<rocksdb::FSDirectory> *result, IODebugContext *) override {
    result->reset(new Directory(disk_, clean(path)));
    return IOStatus::OK();
  }
  IOStatus FileExists(const std::string &path, const IOOptions &, IODebugContext *) override {
    return disk_exists(disk_, clean(path).c_str()) ? IOStatus::OK() : IOStatus::NotFound(path);
  }
  IOStatus GetChildren(const std::string &path, const IOOptions &, std::vector<std::string> *result,
                       IODebugContext *) override {
    struct err err;
    result->clear();
    return status(disk_list(disk_, clean(path).c_str(), add_name, result, &err), err);
  }
  IOStatus DeleteFile(const std::string &path, const IOOptions &, IODebugContext *) override {
    struct err err;
    return status(disk_remove(disk_, clean(path).c_str(), &err), err);
  }
  IOStatus CreateDir(const std::string &path, const IOOptions &, IODebugContext *) override {
    struct err err;
    return status(disk_mkdir(disk_, clean(path).c_str(), &err), err);
  }
  IOStatus CreateDirIfMissing(const std::string &path, const IOOptions &options,
                              IODebugContext *dbg) override {
    return CreateDir(path, options, dbg);
  }
  IOStatus DeleteDir(const std::string &path, const IOOptions &options,
                     IODebugContext *dbg) override {
    return DeleteFile(path, options, dbg);
  }
  IOStatus GetFileSize(const std::string &path, const IOOptions &, uint64_t *bytes,
                       IODebugContext *) override {
    struct file *file;
    struct err err;
    if (!file_open(disk_, clean(path).c_str(), FILE_READ, &file, &err)) return status_of(err);
    Open opened(file);
    return status(file_size(file, bytes, &err), err);
  }
  // Only the ages of RocksDB's own logs are asked for.
  IOStatus GetFileModificationTime(const std::string &, const IOOptions &, uint64_t *time,
                                   IODebugContext *) override {
    *time = 0;
    return IOStatus::OK();
  }
  IOStatus RenameFile(const std::string &from, const std::string &to, const IOOptions &,
                      IODebugContext *) override {
    struct err err;
    return status(disk_rename(disk_, clean(from).c_str(), clean(to).c_str(), &err), err);
  }
  IOStatus LockFile(const std::string &path, const IOOptions &, rocksdb::FileLock **lock,
                    IODebugContext *) override {
    struct file *file;
    struct err err;
    if (!disk_lock(disk_, clean(path).c_str(), &file, &err)) return status_of(err);
    *lock = new Lock(file);
    return IOStatus::OK();
  }
  IOStatus UnlockFile(rocksdb::FileLock *lock, const IOOptions &, IODebugContext *) override {
    delete lock;
    return IOStatus::OK();
  }
  IOStatus GetTestDirectory(const IOOptions &, std::string *, IODebugContext *) override {
    return IOStatus::NotSupported("there is none");
  }
  IOStatus NewLogger(const std::string &, const IOOptions &,
                     std::shared_ptr<rocksdb::Logger> *result, IODebugContext *) override {
    *result = std::make_shared<Silence>();
    return IOStatus::OK();
  }
  IOStatus GetAbsolutePath(const std::string &path, const IOOptions &, std::string *absolute,
                           IODebugContext *) override {
    *absolute = clean(path);
    return IOStatus::OK();
  }
  IOStatus IsDirectory(const std::string &path, const IOOptions &, bool *is_dir,
                       IODebugContext *) override {
    std::vector<std::string> names;
    struct err err;
    *is_dir = disk_list(disk_, clean(path).c_str(), add_name, &names, &err);
    return IOStatus::OK();
  }

private:
  template <typename Kind, typename Port>
  IOStatus open(const std::string &path, std::unique_ptr<Port> *result) {
    struct file *file;
    struct err err;
    if (!file_open(disk_, clean(path).c_str(), FILE_READ, &file, &err)) return status_of(err);
    result->reset(new Kind(file));
    return IOStatus::OK();
  }

  struct disk *disk_;
};

} // namespace

struct rocksdb_env_t *rocksdb_env_open(struct disk *disk) {
  std::shared_ptr<rocksdb::FileSystem> files = std::make_shared<Files>(disk);
  return new rocksdb_env_t{rocksdb::NewCompositeEnv(files).release(), false};
}

void rocksdb_env_close(struct rocksdb_env_t **env) {
  if (!*env) return;
  delete (*env)->rep;
  delete *env;
  *env = nullptr;
}
