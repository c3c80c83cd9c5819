"""Turns a cart into an order: all of it or nothing.

The stock is taken first, each product by one conditional UPDATE in the order of the primary key.
That is right on every database without further locks: nothing is oversold, since the condition
and the change are one statement; two checkouts cannot deadlock, since both take rows in the same
order; and on SQLite the transaction begins as a writer, which waits for its turn where a reader
that turns writer would fail.
"""
from decimal import Decimal

from django.db import transaction
from django.db.models import F

from store.models import OrderLine, Product


class OutOfStock(Exception):
    """Some product has not enough left. `product_ids` says which; nothing has been written."""

    def __init__(self, product_ids):
        super().__init__("out of stock: %s" % product_ids)
        self.product_ids = product_ids


def take_stock(quantities):
    missing = []
    for pk, quantity in sorted(quantities.items()):
        enough = Product.objects.filter(pk=pk, stock__gte=quantity)
        if not enough.update(stock=F("stock") - quantity):
            missing.append(pk)
    if missing:
        raise OutOfStock(missing)


@transaction.atomic
def place_order(order, quantities):
    """Saves the unsaved `order` with a line for each of `quantities` {product id: number}.

    Raises OutOfStock, and ValueError for an empty cart.
    """
    if not quantities:
        raise ValueError("an order needs at least one line")
    take_stock(quantities)
    order.total = Decimal("0.00")
    lines = []
    for product in Product.objects.filter(pk__in=quantities):
        quantity = quantities[product.pk]
        order.total += product.price * quantity
        lines.append((product, quantity))
    order.save()
    OrderLine.objects.bulk_create(
        OrderLine(order=order, product=p, name=p.name, price=p.price, quantity=n) for p, n in lines
    )
    return order
