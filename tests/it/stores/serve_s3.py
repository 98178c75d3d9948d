"""Runs moto on a port, one request at a time.

moto looks whether an object is there and writes it in two steps, so of two requests at once both may win
`If-None-Match: *`. S3 promises one winner; the lock keeps that promise for it.
"""

import sys
import threading

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

application = DomainDispatcherApplication(create_backend_app)
lock = threading.Lock()


def one_at_a_time(environ, start_response):
    with lock:
        return list(application(environ, start_response))


run_simple("127.0.0.1", int(sys.argv[1]), one_at_a_time, threaded=True)
