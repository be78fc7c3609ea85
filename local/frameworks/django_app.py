"""Echo handler for Django: says how Django reads a request. docs/probe.md says when to mount it.

Run it with `POSTERN_ECHO=1 python django_app.py runserver --noreload 127.0.0.1:PORT`.
"""

import os
import sys

import django
from django.conf import settings
from django.http import JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt
def echo(request):
    """The handler. Mount it with `path("postern/echo", echo)`."""
    query = [[key, value] for key, values in request.GET.lists() for value in values]
    return JsonResponse(
        {
            "postern_echo": 1,
            "framework": f"django {django.get_version()}",
            "method": request.method,
            "scheme": request.scheme,
            "host": request.get_host(),
            "path": request.path_info,
            "prefix": request.META.get("SCRIPT_NAME", ""),
            "query": query,
            "company": request.GET.get("company"),
            "address": request.META.get("REMOTE_ADDR"),
        }
    )


urlpatterns = [path("postern/echo", echo)] if os.environ.get("POSTERN_ECHO") else []

if __name__ == "__main__":
    # What `django-admin startproject` writes, as far as it decides how a request is read. Hosts are left to the edge.
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DEBUG=False,
        MIDDLEWARE=[
            "django.middleware.security.SecurityMiddleware",
            "django.middleware.common.CommonMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.middleware.clickjacking.XFrameOptionsMiddleware",
        ],
        ROOT_URLCONF=__name__,
        SECRET_KEY=os.urandom(32).hex(),
        WSGI_APPLICATION=None,
    )
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
