// The AWS SDK as it comes from npm against a running server: Lambda, S3 and SQS. TAP on stdout.
// Environment: MEDULLA_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY; functions "echo" and "fails"
// are deployed in app "interop".
import assert from "node:assert/strict";
import { Readable } from "node:stream";
import { text, buffer } from "node:stream/consumers";
import * as L from "@aws-sdk/client-lambda";
import * as S from "@aws-sdk/client-s3";
import * as Q from "@aws-sdk/client-sqs";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const url = process.env.MEDULLA_URL;
const common = { region: "local", maxAttempts: 1 };
const lambda = new L.LambdaClient({ ...common, endpoint: url });
const s3 = new S.S3Client({ ...common, endpoint: `${url}/s3`, forcePathStyle: true });
const sqs = new Q.SQSClient({ ...common, endpoint: url });

const tests = {
  async "Lambda: RequestResponse"() {
    const Payload = JSON.stringify({ a: "ä" });
    const out = await lambda.send(new L.InvokeCommand({ FunctionName: "interop-echo", Payload }));
    assert.equal(out.StatusCode, 200);
    assert.equal(out.FunctionError, undefined);
    assert.deepEqual(JSON.parse(out.Payload.transformToString()), { a: "ä" });
  },
  async "Lambda: a function that fails"() {
    const command = { FunctionName: "interop-fails", Payload: "{}", LogType: "Tail" };
    const out = await lambda.send(new L.InvokeCommand(command));
    assert.equal(out.FunctionError, "Unhandled");
    assert.match(out.Payload.transformToString(), /on purpose/);
    assert.match(Buffer.from(out.LogResult, "base64").toString(), /about to fail/);
  },
  async "Lambda: Event and DryRun"() {
    const event = { FunctionName: "interop-echo", Payload: "{}", InvocationType: "Event" };
    assert.equal((await lambda.send(new L.InvokeCommand(event))).StatusCode, 202);
    const dry = { FunctionName: "interop-echo", InvocationType: "DryRun" };
    assert.equal((await lambda.send(new L.InvokeCommand(dry))).StatusCode, 204);
  },
  async "Lambda: no such function"() {
    const send = lambda.send(new L.InvokeCommand({ FunctionName: "interop-none" }));
    await assert.rejects(send, { name: "ResourceNotFoundException" });
  },
  async "Lambda: a wrong secret"() {
    const credentials = { accessKeyId: process.env.AWS_ACCESS_KEY_ID, secretAccessKey: "wrong" };
    const other = new L.LambdaClient({ ...common, endpoint: url, credentials });
    const send = other.send(new L.InvokeCommand({ FunctionName: "interop-echo" }));
    await assert.rejects(send, (e) => e.$metadata.httpStatusCode === 401);
  },
  async "S3: put, get, head, delete"() {
    const at = { Bucket: "interop", Key: "folder/ä b+c&d.txt" };
    const Metadata = { bed: "4B" };
    const put = { ...at, Body: "hello", ContentType: "text/plain", Metadata };
    const { ETag } = await s3.send(new S.PutObjectCommand(put));
    assert.equal(ETag, '"5d41402abc4b2a76b9719d911017c592"');
    const got = await s3.send(new S.GetObjectCommand(at));
    assert.equal(await text(got.Body), "hello");
    assert.equal(got.ContentType, "text/plain");
    assert.deepEqual(got.Metadata, Metadata);
    const range = await s3.send(new S.GetObjectCommand({ ...at, Range: "bytes=1-3" }));
    assert.equal(await text(range.Body), "ell");
    assert.equal((await s3.send(new S.HeadObjectCommand(at))).ContentLength, 5);
    await s3.send(new S.DeleteObjectCommand(at));
    await assert.rejects(s3.send(new S.GetObjectCommand(at)), { name: "NoSuchKey" });
    await assert.rejects(s3.send(new S.HeadObjectCommand(at)), { name: "NotFound" });
  },
  async "S3: a stream of unknown hash (aws-chunked with a trailer)"() {
    const body = Buffer.alloc(5 << 20, "abcdefghij");
    const at = { Bucket: "interop", Key: "streamed" };
    const pieces = Array.from({ length: 80 }, (_, i) => body.subarray(i << 16, (i + 1) << 16));
    const put = { ...at, Body: Readable.from(pieces), ContentLength: body.length };
    await s3.send(new S.PutObjectCommand(put));
    const got = await s3.send(new S.GetObjectCommand(at));
    assert.ok(body.equals(await buffer(got.Body)));
  },
  async "S3: list and delete many"() {
    const Bucket = "interop-list";
    for (const Key of ["a/1", "a/2", "b", "c d"])
      await s3.send(new S.PutObjectCommand({ Bucket, Key, Body: Key }));
    const rolled = await s3.send(new S.ListObjectsV2Command({ Bucket, Delimiter: "/" }));
    assert.deepEqual(rolled.CommonPrefixes, [{ Prefix: "a/" }]);
    assert.deepEqual(rolled.Contents.map((o) => o.Key), ["b", "c d"]);
    const keys = [];
    for await (const page of S.paginateListObjectsV2({ client: s3, pageSize: 3 }, { Bucket }))
      keys.push(...page.Contents.map((o) => o.Key));
    assert.deepEqual(keys, ["a/1", "a/2", "b", "c d"]);
    const Objects = keys.map((Key) => ({ Key }));
    const gone = await s3.send(new S.DeleteObjectsCommand({ Bucket, Delete: { Objects } }));
    assert.equal(gone.Deleted.length, 4);
    assert.equal((await s3.send(new S.ListObjectsV2Command({ Bucket }))).KeyCount, 0);
  },
  async "S3: multipart"() {
    const at = { Bucket: "interop", Key: "parts" };
    const bodies = [Buffer.alloc(5 << 20, "a"), Buffer.from("the end")];
    const { UploadId } = await s3.send(new S.CreateMultipartUploadCommand(at));
    const Parts = [];
    for (const [i, Body] of bodies.entries()) {
      const part = { ...at, UploadId, PartNumber: i + 1, Body };
      const { ETag } = await s3.send(new S.UploadPartCommand(part));
      Parts.push({ ETag, PartNumber: i + 1 });
    }
    const whole = { ...at, UploadId, MultipartUpload: { Parts } };
    const { ETag } = await s3.send(new S.CompleteMultipartUploadCommand(whole));
    assert.match(ETag, /-2"$/);
    const got = await s3.send(new S.GetObjectCommand(at));
    assert.ok(Buffer.concat(bodies).equals(await buffer(got.Body)));
    const other = await s3.send(new S.CreateMultipartUploadCommand(at));
    await s3.send(new S.AbortMultipartUploadCommand({ ...at, UploadId: other.UploadId }));
  },
  async "S3: conditions on a put"() {
    const at = { Bucket: "interop", Key: "once" };
    const { ETag } = await s3.send(new S.PutObjectCommand({ ...at, Body: "1", IfNoneMatch: "*" }));
    const again = new S.PutObjectCommand({ ...at, Body: "2", IfNoneMatch: "*" });
    await assert.rejects(s3.send(again), { name: "PreconditionFailed" });
    await s3.send(new S.PutObjectCommand({ ...at, Body: "2", IfMatch: ETag }));
    const late = new S.PutObjectCommand({ ...at, Body: "3", IfMatch: ETag });
    await assert.rejects(s3.send(late), { name: "PreconditionFailed" });
    const got = await s3.send(new S.GetObjectCommand(at));
    assert.equal(await text(got.Body), "2");
    const same = new S.GetObjectCommand({ ...at, IfNoneMatch: got.ETag });
    await assert.rejects(s3.send(same), (error) => error.$metadata.httpStatusCode === 304);
  },
  async "S3: copy"() {
    const from = { Bucket: "interop", Key: "copy/from å", Body: "whole", Metadata: { bed: "4B" } };
    await s3.send(new S.PutObjectCommand({ ...from, ContentType: "text/plain" }));
    const CopySource = `interop/${encodeURIComponent(from.Key)}`;
    const to = { Bucket: "interop-copies", Key: "to" };
    const copied = await s3.send(new S.CopyObjectCommand({ ...to, CopySource }));
    const got = await s3.send(new S.GetObjectCommand(to));
    assert.equal(await text(got.Body), "whole");
    assert.equal(got.ETag, copied.CopyObjectResult.ETag);
    assert.equal(got.ContentType, "text/plain");
    assert.deepEqual(got.Metadata, { bed: "4B" });
    const other = { ...to, CopySource, MetadataDirective: "REPLACE", Metadata: { bed: "5C" } };
    await s3.send(new S.CopyObjectCommand(other));
    assert.deepEqual((await s3.send(new S.HeadObjectCommand(to))).Metadata, { bed: "5C" });
    const none = new S.CopyObjectCommand({ ...to, CopySource: "interop/none" });
    await assert.rejects(s3.send(none), { name: "NoSuchKey" });
  },
  async "S3: what there is: buckets, uploads, parts"() {
    const at = { Bucket: "interop-parts", Key: "p/1" };
    const { UploadId } = await s3.send(new S.CreateMultipartUploadCommand(at));
    for (const PartNumber of [1, 2, 5])
      await s3.send(new S.UploadPartCommand({ ...at, UploadId, PartNumber, Body: "x".repeat(PartNumber) }));
    const parts = await s3.send(new S.ListPartsCommand({ ...at, UploadId, MaxParts: 2 }));
    assert.deepEqual(parts.Parts.map((p) => [p.PartNumber, p.Size]), [[1, 1], [2, 2]]);
    assert.ok(parts.IsTruncated);
    const rest = { ...at, UploadId, PartNumberMarker: parts.NextPartNumberMarker };
    assert.equal((await s3.send(new S.ListPartsCommand(rest))).Parts[0].PartNumber, 5);
    const uploads = new S.ListMultipartUploadsCommand({ Bucket: at.Bucket, Prefix: "p/" });
    const [upload] = (await s3.send(uploads)).Uploads;
    assert.deepEqual([upload.Key, upload.UploadId], [at.Key, UploadId]);
    await s3.send(new S.AbortMultipartUploadCommand({ ...at, UploadId }));
    assert.equal((await s3.send(uploads)).Uploads, undefined);
    const { Buckets } = await s3.send(new S.ListBucketsCommand({}));
    assert.ok(Buckets.some((b) => b.Name === "interop" && b.CreationDate instanceof Date));
    assert.ok(!Buckets.some((b) => b.Name === "interop-parts"));
  },
  async "S3: presigned"() {
    const at = { Bucket: "interop", Key: "presigned" };
    const put = await getSignedUrl(s3, new S.PutObjectCommand(at), { expiresIn: 60 });
    assert.equal((await fetch(put, { method: "PUT", body: "by link" })).status, 200);
    const get = await getSignedUrl(s3, new S.GetObjectCommand(at), { expiresIn: 60 });
    assert.equal(await (await fetch(get)).text(), "by link");
    assert.equal((await fetch(get.replace("presigned?", "streamed?"))).status, 403);
  },
  async "SQS: send, receive, delete"() {
    const { QueueUrl } = await sqs.send(new Q.GetQueueUrlCommand({ QueueName: "interop" }));
    const MessageAttributes = { kind: { DataType: "String", StringValue: "lab" } };
    await sqs.send(new Q.SendMessageCommand({ QueueUrl, MessageBody: "one", MessageAttributes }));
    const Entries = ["a", "b"].map((Id) => ({ Id, MessageBody: Id }));
    const sent = await sqs.send(new Q.SendMessageBatchCommand({ QueueUrl, Entries }));
    assert.equal(sent.Successful.length, 2);
    const ask = { QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ["All"] };
    const { Messages } = await sqs.send(new Q.ReceiveMessageCommand(ask));
    assert.deepEqual(Messages.map((m) => m.Body), ["one", "a", "b"]);
    assert.equal(Messages[0].MessageAttributes.kind.StringValue, "lab");
    for (const { ReceiptHandle } of Messages)
      await sqs.send(new Q.DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    const empty = await sqs.send(new Q.ReceiveMessageCommand({ QueueUrl }));
    assert.equal(empty.Messages, undefined);
  },
};

let number = 0;
console.log(`1..${Object.keys(tests).length}`);
for (const [name, test] of Object.entries(tests)) {
  number++;
  try {
    await test();
    console.log(`ok ${number} - ${name}`);
  } catch (error) {
    console.log(`not ok ${number} - ${name}`);
    console.log(String(error.stack ?? error).replace(/^/gm, "# "));
    if (error.$response) console.log(`# status ${error.$response.statusCode}`);
  }
}
