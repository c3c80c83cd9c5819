"""The corners under wsgiref.validate, which is stricter than we are."""

from wsgiref.validate import validator

import corners

application = validator(corners.application)
