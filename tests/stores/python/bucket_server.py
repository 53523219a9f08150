"""An S3 server in memory for the tests of the store in a bucket: moto, with users and signatures that are checked.

Prints one line, URL, key and secret of the one user, when it answers; ends with its standard input. With the files of a
certificate and its key as arguments it speaks TLS.
"""

import os
import sys
import threading
import warnings

warnings.filterwarnings("ignore", message="Unverified HTTPS request")
# The four calls below are made by nobody yet; from then on each request is checked.
os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "4"

import boto3  # noqa: E402
from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: E402
from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: E402

POLICY = """{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]}"""


class Quiet(WSGIRequestHandler):
    def log_request(self, *_):
        pass


def main():
    moto = DomainDispatcherApplication(create_backend_app)
    turn = threading.Lock()

    def one_at_a_time(environ, start_response):
        # A condition and its put are one step in S3; in moto they are two.
        with turn:
            return list(moto(environ, start_response))

    tls = tuple(sys.argv[1:3]) or None
    server = make_server("127.0.0.1", 0, one_at_a_time, threaded=True, request_handler=Quiet, ssl_context=tls)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"{'https' if tls else 'http'}://127.0.0.1:{server.server_port}"

    def client(service):
        # The certificate is judged by those whom the server is for.
        return boto3.client(
            service,
            endpoint_url=url,
            aws_access_key_id="x",
            aws_secret_access_key="x",
            region_name="us-east-1",
            verify=not tls,
        )

    iam = client("iam")
    iam.create_user(UserName="publisher")
    key = iam.create_access_key(UserName="publisher")["AccessKey"]
    iam.put_user_policy(UserName="publisher", PolicyName="crls", PolicyDocument=POLICY)
    client("s3").create_bucket(Bucket="crls")
    print(url, key["AccessKeyId"], key["SecretAccessKey"], flush=True)
    sys.stdin.read()


main()
