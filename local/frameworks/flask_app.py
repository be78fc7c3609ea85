"""Echo handler for Flask: says how Flask reads a request. docs/probe.md says when to mount it.

Run it with `POSTERN_ECHO=1 gunicorn --bind 127.0.0.1:PORT flask_app:app`.
"""

import os
from importlib.metadata import version

from flask import Flask, jsonify, request

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def echo():
    """The handler. Mount it with `app.add_url_rule("/postern/echo", view_func=echo, methods=METHODS)`."""
    return jsonify(
        postern_echo=1,
        framework=f"flask {version('flask')}",
        method=request.method,
        scheme=request.scheme,
        host=request.host,
        path=request.path,
        prefix=request.script_root,
        query=list(request.args.items(multi=True)),
        company=request.args.get("company"),
        address=request.remote_addr,
    )


app = Flask(__name__)
if os.environ.get("POSTERN_ECHO"):
    app.add_url_rule("/postern/echo", view_func=echo, methods=METHODS, provide_automatic_options=False)
