"""interim"""


class Address:
    def __init__(self, text):
        self.text = text

    def shown(self):
        return "postgresql"
