"""The cart and the checkout."""
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from store.cart import Cart, total
from store.checkout import OutOfStock, place_order
from store.forms import OrderForm
from store.models import Product


def cart(request):
    lines = Cart(request.session).lines()
    return render(request, "store/cart.html", {"lines": lines, "total": total(lines)})


def posted_quantity(request, default):
    """The form's `quantity`, or the default when it is no number."""
    try:
        return int(request.POST.get("quantity", default))
    except ValueError:
        return default


@require_POST
def cart_add(request, slug):
    product = get_object_or_404(Product, slug=slug)
    basket = Cart(request.session)
    before = basket.quantity(product)
    wanted = max(1, posted_quantity(request, 1))
    if basket.add(product, wanted) == before + wanted:
        messages.success(request, "%s is in your cart." % product.name)
    else:
        messages.warning(request, "We have no more of %s than that." % product.name)
    return redirect("cart")


@require_POST
def cart_set(request, slug):
    product = get_object_or_404(Product, slug=slug)
    wanted = posted_quantity(request, 0)
    if Cart(request.session).put(product, wanted) < wanted:
        messages.warning(request, "We have no more of %s than that." % product.name)
    return redirect("cart")


def fit_to_stock(request, basket):
    """After OutOfStock: brings the cart down to what there is and says so."""
    for line in basket.lines():
        left = basket.put(line.product, line.quantity)
        if left < line.quantity:
            messages.warning(request, "Only %d left of %s." % (left, line.product.name))


@login_required
def checkout(request):
    basket = Cart(request.session)
    lines = basket.lines()
    if not lines:
        messages.info(request, "Your cart is empty.")
        return redirect("cart")
    known = {"name": request.user.get_full_name(), "email": request.user.email}
    form = OrderForm(request.POST or None, initial=known)
    if request.method == "POST" and form.is_valid():
        order = form.save(commit=False)
        order.user = request.user
        try:
            place_order(order, {line.product.pk: line.quantity for line in lines})
        except OutOfStock:
            fit_to_stock(request, basket)
            return redirect("cart")
        basket.clear()
        messages.success(request, "Thank you! Your order %s is on its way." % order.number)
        return redirect(order)
    context = {"form": form, "lines": lines, "total": total(lines)}
    return render(request, "store/checkout.html", context)
