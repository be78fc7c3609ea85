"""Echo handler for FastAPI: says how FastAPI reads a request. docs/probe.md says when to mount it.

Run it with `POSTERN_ECHO=1 uvicorn --host 127.0.0.1 --port PORT fastapi_app:app`.
"""

import os
from importlib.metadata import version

from fastapi import FastAPI, Request

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


def echo(request: Request, company: str | None = None):
    """The handler. Mount it with `app.add_api_route("/postern/echo", echo, methods=METHODS)`."""
    return {
        "postern_echo": 1,
        "framework": f"fastapi {version('fastapi')}",
        "method": request.method,
        "scheme": request.url.scheme,
        "host": request.url.netloc,
        "path": request.url.path,
        "prefix": request.scope.get("root_path", ""),
        "query": request.query_params.multi_items(),
        "company": company,
        "address": request.client.host if request.client else None,
    }


app = FastAPI()
if os.environ.get("POSTERN_ECHO"):
    app.add_api_route("/postern/echo", echo, methods=METHODS)
