"""Customers' reviews of a product, with a photo if they like."""
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db import IntegrityError, transaction
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from store.forms import ReviewForm
from store.models import Product, Review
from store.views import catalogue


@require_POST
@login_required
def write(request, slug):
    """A customer has one review of a product: a second one takes the place of the first."""
    product = get_object_or_404(Product, slug=slug)
    earlier = Review.objects.filter(product=product, user=request.user).first()
    form = ReviewForm(
        request.POST, request.FILES, instance=earlier or Review(product=product, user=request.user)
    )
    if not form.is_valid():
        return catalogue.product(request, slug, review_form=form)
    try:
        with transaction.atomic():
            form.save()
    except IntegrityError:
        pass  # sent twice at the same moment: the one that came first stands
    messages.success(request, "Thank you for your words on %s." % product.name)
    return redirect(product)
