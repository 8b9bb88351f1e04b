"""A bare Django project: no middleware, no keys, no limits. A POST does one INSERT, a GET one SELECT, both with JSON.

`gunicorn bench.requests.bare:application`, on the database of the service and with its settings.
"""

import json

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, JsonResponse
from django.urls import path

from astra.settings import DATABASES

settings.configure(
    DATABASES=DATABASES, ROOT_URLCONF=__name__, ALLOWED_HOSTS=["*"], MIDDLEWARE=[], SECRET_KEY="of no use", USE_TZ=True
)
django.setup()

from django.db import connection, models  # noqa: E402  # needs the settings


class Note(models.Model):
    content = models.JSONField()

    objects: "models.Manager[Note]" = models.Manager()

    class Meta:
        app_label = "bare"


def submit(request: HttpRequest) -> JsonResponse:
    return _answer(Note.objects.create(content=json.loads(request.body)), 202)


def poll(request: HttpRequest, pk: int) -> JsonResponse:
    return _answer(Note.objects.get(pk=pk), 200)


def _answer(note: Note, status: int) -> JsonResponse:
    response = JsonResponse({"id": note.pk, **note.content}, status=status)
    response["Content-Length"] = str(len(response.content))  # else the server sends it in chunks
    return response


def create_table() -> None:
    with connection.schema_editor() as editor:
        editor.create_model(Note)


urlpatterns = [path("notes", submit), path("notes/<int:pk>", poll)]
application = WSGIHandler()
