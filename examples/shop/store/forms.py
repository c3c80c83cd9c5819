"""The shop's forms: sign-up, the address of an order, a review."""
from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import UserCreationForm

from store.models import Order, Review


class SignUpForm(UserCreationForm):
    email = forms.EmailField(label="E-mail")

    class Meta:
        model = get_user_model()
        fields = ["username", "email"]


class OrderForm(forms.ModelForm):
    class Meta:
        model = Order
        fields = ["name", "email", "street", "postcode", "city", "country", "note"]
        widgets = {
            "name": forms.TextInput(attrs={"autocomplete": "name"}),
            "email": forms.EmailInput(attrs={"autocomplete": "email"}),
            "street": forms.TextInput(attrs={"autocomplete": "street-address"}),
            "postcode": forms.TextInput(attrs={"autocomplete": "postal-code"}),
            "city": forms.TextInput(attrs={"autocomplete": "address-level2"}),
            "country": forms.TextInput(attrs={"autocomplete": "country-name"}),
        }


class ReviewForm(forms.ModelForm):
    class Meta:
        model = Review
        fields = ["stars", "text", "photo"]
        labels = {"text": "What do you think of it?", "photo": "Photo"}
        widgets = {
            "stars": forms.Select(choices=[(n, "★" * n) for n in range(5, 0, -1)]),
            "text": forms.Textarea(attrs={"rows": 4}),
            "photo": forms.FileInput(attrs={"accept": "image/jpeg,image/png,image/webp"}),
        }
