"""The shop's forms: sign-up and the address of an order."""
from django import forms
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import UserCreationForm

from store.models import Order


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
