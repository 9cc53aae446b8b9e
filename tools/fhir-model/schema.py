"""The JSON schema of R4 4.0.1, which the package keeps as published.

The package's StructureDefinitions have elements of later releases and of its maker's own beside
R4's. What the schema does not know is left out, so that validation is R4's."""

# The schema has no definition of abstract types.
NO_PROPERTIES = {"Element", "BackboneElement", "Resource", "DomainResource"}


class Schema:
    def __init__(self, definitions):
        self.definitions = definitions

    def target(self, value):
        """The definition a property's values follow, or None."""
        value = value.get("items", value)
        name = value.get("$ref", "").rsplit("/", 1)[-1]
        return self.definitions.get(name)

    def definition(self, path):
        """The definition of a type, or of a nested element by its path."""
        words = path.split(".")
        found = self.definitions.get(words[0])
        for word in words[1:]:
            found = found and self.target(found.get("properties", {}).get(word, {}))
        return found

    def names(self, path, types):
        """JSON names of an element, with the type each is for."""
        if not path.endswith("[x]"):
            return [(path.rsplit(".", 1)[1], None)]
        stem = path.rsplit(".", 1)[1][:-3]
        return [(stem + each["code"][0].upper() + each["code"][1:], each) for each in types]

    def keeps(self, element):
        """Is the element R4's? Types of a choice that are not are taken out of it."""
        path = element["path"]
        parent = path.rsplit(".", 1)[0]
        if parent in NO_PROPERTIES:
            return True
        definition = self.definition(parent)
        properties = (definition or {}).get("properties")
        if properties is None:  # primitive types, and what an absent element contains
            return definition is not None
        kept = [each for name, each in self.names(path, element.get("type", []))
                if name in properties]
        if path.endswith("[x]"):
            element["type"] = kept
        return bool(kept)
