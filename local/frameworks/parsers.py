"""How Python's query parsers and frameworks read a parameter: one JSON object a line in, one a line out.

See parsers.mjs, which has the form of both.
"""

import json
import sys
from urllib.parse import parse_qs

import flask
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from starlette.requests import Request

settings.configure()


def environ(target):
    path, _, query = target.partition("?")
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "edge.example",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": sys.stdin.buffer,
    }


def in_parse_qs(target, name):
    return parse_qs(target.partition("?")[2]).get(name, [])


def in_flask(target, name):
    arguments = flask.Request(environ(target)).args
    return [arguments.get(name), *arguments.getlist(name)]


def in_django(target, name):
    query = WSGIRequest(environ(target)).GET
    return [query.get(name), *query.getlist(name)]


def in_starlette(target, name):
    path, _, query = target.partition("?")
    scope = {"type": "http", "method": "GET", "path": path, "query_string": query.encode(), "headers": []}
    read = Request(scope).query_params
    return [read.get(name), *read.getlist(name)]


PARSERS = {"parse_qs": in_parse_qs, "flask": in_flask, "django": in_django, "starlette": in_starlette}


def tried(parse, target, name):
    try:
        return parse(target, name)
    except Exception as error:
        return [{"error": repr(error)}]


for line in sys.stdin:
    asked = json.loads(line)
    read = {parser: tried(parse, asked["target"], asked["name"]) for parser, parse in PARSERS.items()}
    # Flask keeps octets that are not UTF-8 as surrogates: they are written as escapes.
    print(json.dumps(read))
