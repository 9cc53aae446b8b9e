"""The value sets that elements are bound to."""

NONE = 0xFFFF


class ValueSets:
    def __init__(self, texts):
        self.texts = texts
        self.urls = {}

    def use(self, binding):
        """The value set's number; bound elements make the list."""
        url = binding.get("valueSet", "").split("|")[0]
        if not url:
            return NONE
        return self.urls.setdefault(url, len(self.urls))

    def rows(self):
        return ["{%s}" % self.texts.add(url) for url in self.urls]
