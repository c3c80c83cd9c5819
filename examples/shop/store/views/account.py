"""Signing up, and a customer's own orders."""
from io import BytesIO

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_required
from django.http import FileResponse
from django.shortcuts import get_object_or_404, redirect, render

from store import documents
from store.forms import SignUpForm


def sign_up(request):
    form = SignUpForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        login(request, form.save())
        messages.success(request, "Welcome to Petite Bouche!")
        return redirect("home")
    return render(request, "store/sign_up.html", {"form": form})


@login_required
def orders(request):
    return render(request, "store/orders.html", {"orders": request.user.orders.all()})


@login_required
def order(request, number):
    found = get_object_or_404(request.user.orders, number=number)
    return render(request, "store/order.html", {"order": found, "lines": found.lines.all()})


@login_required
def invoice(request, number):
    """A PDF made in memory: a FileResponse without a descriptor behind it."""
    found = get_object_or_404(request.user.orders, number=number)
    return FileResponse(
        BytesIO(documents.invoice(found)),
        as_attachment=True,
        filename="invoice-%s.pdf" % found.number,
        content_type="application/pdf",
    )
