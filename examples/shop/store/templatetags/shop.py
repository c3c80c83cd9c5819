"""Template tags of the shop."""
from django import template
from django.db.models import Count

from store.models import Category

register = template.Library()


@register.simple_tag
def all_categories():
    """Every category with `size`, how many products it has. A query: use it inside {% cache %}."""
    return Category.objects.annotate(size=Count("products")).order_by("position", "name")


@register.filter
def euros(amount):
    """A price the way the shop writes it: € 1,290.00."""
    return "€\u00a0{:,.2f}".format(amount)


@register.filter
def milliseconds(seconds):
    """Seconds as milliseconds, with as many digits as are worth reading."""
    value = seconds * 1000
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return "%.*f ms" % (digits, value)


@register.filter
def stars(number):
    """Five stars, `number` of them full."""
    return "★" * number + "☆" * (5 - number)
