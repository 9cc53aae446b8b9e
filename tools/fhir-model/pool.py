"""What the tables share: texts, lists of numbers, hash slots, and how they are written as C."""

MASK = (1 << 64) - 1
MULTIPLIER = 0x9E3779B97F4A7C15
TEXT_AT_BITS, TEXT_LEN_BITS = 20, 12


def hash_bytes(text):
    """fhir_hash of src/fhir/model.c."""
    data = text.encode()
    size = len(data)
    value = (size * MULTIPLIER) & MASK
    if size >= 8:
        for at in range(0, size - 8, 8):
            word = int.from_bytes(data[at:at + 8], "little")
            value = ((value ^ word) * MULTIPLIER) & MASK
            value ^= value >> 32
        tail = int.from_bytes(data[-8:], "little")
    elif size >= 4:
        tail = int.from_bytes(data[:4], "little") | int.from_bytes(data[-4:], "little") << 32
    elif size > 0:
        tail = data[0] | data[size // 2] << 8 | data[-1] << 16
    else:
        tail = 0
    value = ((value ^ tail) * MULTIPLIER) & MASK
    return value ^ value >> 32


def slots(names):
    """An open hash table of index + 1, at most half full; 0 is a free place."""
    room = 1
    while room < 2 * len(names):
        room *= 2
    table = [0] * room
    for index, name in enumerate(names):
        at = hash_bytes(name) & (room - 1)
        while table[at]:
            at = (at + 1) & (room - 1)
        table[at] = index + 1
    return table


def text_row(at, size):
    """A struct fhir_text."""
    if at >= 1 << TEXT_AT_BITS or size >= 1 << TEXT_LEN_BITS:
        raise SystemExit(f"fhir-model: no room for a text of {size} bytes at {at}")
    return f"{{{at}, {size}}}"


class Texts:
    """One pool of characters; a text that stands in it already is not added again."""

    def __init__(self):
        self.pool = bytearray()
        self.known = {}

    def add(self, text):
        if text not in self.known:
            data = text.encode()
            at = self.pool.find(data)
            if at < 0:
                at = len(self.pool)
                self.pool += data
            self.known[text] = text_row(at, len(data))
        return self.known[text]

    def add_all(self, texts):
        """The longest first, so that the shorter are found in them."""
        for text in sorted(set(texts), key=lambda text: (-len(text), text)):
            self.add(text)


class Lists:
    """Lists of rows, one behind the other; an equal list is not added again."""

    def __init__(self):
        self.rows = []
        self.known = {}

    def add(self, rows):
        key = tuple(rows)
        if key not in self.known:
            self.known[key] = len(self.rows)
            self.rows += rows
        return self.known[key]


def c_string(data):
    """A pool as C string literals."""
    lines = []
    for at in range(0, len(data), 76):
        text = ""
        for byte in data[at:at + 76]:
            char = chr(byte)
            if char in "\"\\":
                text += "\\" + char
            elif char == "?" or not 32 <= byte < 127:  # no trigraphs
                text += f"\\{byte:03o}"
            else:
                text += char
        lines.append(f'  "{text}"')
    return "\n".join(lines) if lines else '  ""'


def c_array(declaration, rows):
    """rows are C initialisers; C has no empty arrays."""
    body, line = [], " "
    for row in rows or ["{0}"]:
        item = f" {row},"
        if len(line) + len(item) > 100:
            body.append(line)
            line = " "
        line += item
    body.append(line)
    return f"const {declaration} = {{\n" + "\n".join(body) + "\n};\n"
