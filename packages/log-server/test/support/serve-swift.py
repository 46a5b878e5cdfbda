"""OpenStack Swift with its S3 interface, all four servers in one process, for tests: folder and access key as arguments, the secret on standard input.

Prints the port of the S3 interface, and ends when its standard input does.
"""
import json
import os
import sys

import eventlet

eventlet.monkey_patch()

from eventlet import wsgi  # noqa: E402
from swift.common.ring import Ring, RingBuilder  # noqa: E402
from swift.common.wsgi import loadapp  # noqa: E402

folder, access_key = sys.argv[1:3]
secret = sys.stdin.readline().strip()
user, name = access_key.split(":")

with open(os.path.join(folder, "swift.conf"), "w") as conf:
    conf.write("[swift-hash]\nswift_hash_path_suffix = tests\nswift_hash_path_prefix = tests\n[storage-policy:0]\nname = only\ndefault = yes\n")
os.environ["SWIFT_TEST_CONFIG_FILE"] = ""
from swift.common import utils  # noqa: E402
import swift.common.storage_policy  # noqa: E402

utils.SWIFT_CONF_FILE = os.path.join(folder, "swift.conf")
swift.common.storage_policy.SWIFT_CONF_FILE = utils.SWIFT_CONF_FILE
swift.common.storage_policy.reload_storage_policies()
utils.validate_hash_conf()

listeners = {kind: eventlet.listen(("127.0.0.1", 0)) for kind in ("account", "container", "object", "proxy")}
devices = os.path.join(folder, "devices")
os.makedirs(os.path.join(devices, "disk"))
for kind in ("account", "container", "object"):
    builder = RingBuilder(4, 1, 1)
    port = listeners[kind].getsockname()[1]
    builder.add_dev({"id": 0, "region": 1, "zone": 1, "weight": 1.0, "ip": "127.0.0.1", "port": port, "device": "disk"})
    builder.rebalance()
    builder.get_ring().save(os.path.join(folder, kind + ".ring.gz"))

CONF = {
    "account": "[pipeline:main]\npipeline = server\n[app:server]\nuse = egg:swift#account\n",
    "container": "[pipeline:main]\npipeline = server\n[app:server]\nuse = egg:swift#container\n",
    "object": "[pipeline:main]\npipeline = server\n[app:server]\nuse = egg:swift#object\n",
    "proxy": """[pipeline:main]
pipeline = catch_errors s3api tempauth copy proxy-logging slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
error_suppression_interval = 0
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:s3api]
use = egg:swift#s3api
s3_acl = false
dns_compliant_bucket_names = true
location = us-east-1
[filter:tempauth]
use = egg:swift#tempauth
user_%s_%s = %s .admin
[filter:copy]
use = egg:swift#copy
[filter:proxy-logging]
use = egg:swift#proxy_logging
access_log_level = CRITICAL
[filter:slo]
use = egg:swift#slo
"""
    % (user, name, secret),
}
HEAD = "[DEFAULT]\nswift_dir = %s\ndevices = %s\nmount_check = false\nbind_ip = 127.0.0.1\nlog_level = CRITICAL\n" % (folder, devices)


class Cache:
    """What a memcached beside it would keep: without one it asks for account and container at each request."""

    def __init__(self):
        self.kept = {}

    def get(self, key, **_):
        return json.loads(self.kept.get(key, "null"))

    def set(self, key, value, **_):
        self.kept[key] = json.dumps(value)

    def delete(self, key, **_):
        self.kept.pop(key, None)


def cached(app):
    cache = Cache()

    def answer(env, start_response):
        env["swift.cache"] = cache
        return app(env, start_response)

    return answer


class Silence:
    def write(self, *_):
        pass

    def flush(self):
        pass


for kind, text in CONF.items():
    path = os.path.join(folder, kind + ".conf")
    with open(path, "w") as conf:
        conf.write(HEAD + text)
    app = cached(loadapp(path)) if kind == "proxy" else loadapp(path)
    eventlet.spawn(wsgi.server, listeners[kind], app, Silence(), max_size=256, debug=False)

print(listeners["proxy"].getsockname()[1], flush=True)
while eventlet.tpool.execute(sys.stdin.readline):
    pass
os._exit(0)
