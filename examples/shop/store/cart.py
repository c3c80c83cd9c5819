"""The cart: quantities by product, kept in the session until checkout.

The session holds {"<product id>": quantity}, JSON's way of an integer key. Prices and stock are
always read from the database; what is no longer sold or in stock falls out of the cart.
"""
from collections import namedtuple
from decimal import Decimal

from store.models import Product

SESSION_KEY = "cart"
MAX_QUANTITY = 20  # of one product in one order

CartLine = namedtuple("CartLine", "product quantity total")


class Cart:
    """The cart of one session."""

    def __init__(self, session):
        self._session = session
        self._quantities = session.get(SESSION_KEY, {})

    def __len__(self):
        """How many pieces there are in it."""
        return sum(self._quantities.values())

    def quantity(self, product):
        return self._quantities.get(str(product.pk), 0)

    def put(self, product, quantity):
        """Sets the quantity, at most what is in stock; 0 takes it out. Answers what it became."""
        quantity = max(0, min(quantity, product.stock, MAX_QUANTITY))
        if quantity:
            self._quantities[str(product.pk)] = quantity
        else:
            self._quantities.pop(str(product.pk), None)
        self._save()
        return quantity

    def add(self, product, quantity=1):
        return self.put(product, self.quantity(product) + quantity)

    def clear(self):
        self._quantities = {}
        self._save()

    def _save(self):
        if self._quantities:
            self._session[SESSION_KEY] = self._quantities
        else:
            self._session.pop(SESSION_KEY, None)

    def lines(self):
        """The lines by name, with today's prices."""
        products = Product.objects.filter(pk__in=self._quantities).select_related("category")
        lines = []
        for product in products:
            quantity = self.quantity(product)
            lines.append(CartLine(product, quantity, product.price * quantity))
        return lines

    def quantities(self):
        """{product id: quantity}, for checkout."""
        return {int(pk): quantity for pk, quantity in self._quantities.items()}


def total(lines):
    return sum((line.total for line in lines), Decimal("0.00"))


def context(request):
    """Context processor: `cart_size` for the badge in the page's head.

    A function, so that a page that does not show it does not read the session.
    """
    return {"cart_size": lambda: len(Cart(request.session))}
