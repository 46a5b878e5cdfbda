"""An implementation that isn't ours (Debian's python3-fido2): it verifies what our keys made, and drives our software authenticator.

verify           reads registrations as JSON from standard input
drive PORT SIZE  talks CTAP2 over UDP to a fresh key that has no PIN, one report of SIZE bytes a datagram
u2f PORT         the same with U2F
Prints one line for each thing that held; ends with an exception at the first that does not.
"""

import json
import os
import socket
import sys

from fido2.attestation import Attestation, verify_x509_chain
from fido2.client import Fido2Client
from fido2.cose import CoseKey
from fido2.ctap import CtapError
from fido2.ctap1 import ApduError, Ctap1
from fido2.ctap2 import AssertionResponse, AttestationObject, ClientPin, Ctap2, PinProtocolV1, PinProtocolV2
from fido2.hid import CtapHidDevice
from fido2.hid.base import CtapHidConnection, HidDescriptor
from fido2.utils import sha256

RP_ID = "ssh:touchmark"
PIN = "caf\u00e9-1234"


class UdpConnection(CtapHidConnection):
    def __init__(self, port, size):
        self.size = size
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.settimeout(10)
        self.socket.connect(("127.0.0.1", port))

    def read_packet(self):
        return self.socket.recv(self.size)

    def write_packet(self, data):
        self.socket.send(data)

    def close(self):
        self.socket.close()


def connect(port, size):
    return CtapHidDevice(HidDescriptor("udp", 0, 0, size, size), UdpConnection(port, size))


def held(what):
    print(what, flush=True)


def refused_with(code, work):
    try:
        work()
    except CtapError as error:
        assert error.code == code, (error.code, code)
        return
    raise AssertionError("nothing was refused")


def verify():
    for case in json.load(sys.stdin):
        object_ = AttestationObject(bytes.fromhex(case["attestationObject"]))
        hash_ = bytes.fromhex(case["clientDataHash"])
        assert object_.fmt == case["format"], object_.fmt
        assert object_.auth_data.rp_id_hash == sha256(case["rpId"].encode())
        result = Attestation.for_type(object_.fmt)().verify(object_.att_statement, object_.auth_data, hash_)
        assert result.attestation_type.name == case["type"], result.attestation_type
        if "root" in case:
            verify_x509_chain(result.trust_path + [bytes.fromhex(case["root"])])
        credential = object_.auth_data.credential_data
        assert credential.credential_id.hex() == case["credentialId"]
        signed = bytes.fromhex(case["authData"]) + bytes.fromhex(case["assertionHash"])
        CoseKey.for_alg(credential.public_key[3])(credential.public_key).verify(signed, bytes.fromhex(case["signature"]))
        held(case["name"])


def drive(port, size):
    device = connect(port, size)
    assert device.ping(os.urandom(1000)) is not None
    device.wink()
    ctap = Ctap2(device)
    info = ctap.get_info()
    assert "FIDO_2_1" in info.versions and info.options["clientPin"] is False, info
    assert "credProtect" in info.extensions
    held("getInfo")

    ClientPin(ctap, PinProtocolV2()).set_pin(PIN)
    held("PIN set")
    for protocol in (PinProtocolV1(), PinProtocolV2()):
        pin = ClientPin(ctap, protocol)
        refused_with(CtapError.ERR.PIN_INVALID, lambda: pin.get_pin_token("wrong", 1, RP_ID))
        assert pin.get_pin_retries()[0] == 7
        register_and_sign(ctap, pin, protocol)
        held("protocol %d" % protocol.VERSION)
    ClientPin(ctap).change_pin(PIN, "another-1234")
    refused_with(CtapError.ERR.PIN_INVALID, lambda: ClientPin(ctap).get_pin_token(PIN, 1, RP_ID))
    held("PIN changed")
    ctap.selection()
    held("selection")
    use_client(device)
    held("WebAuthn client")


def register_and_sign(ctap, pin, protocol):
    hash_ = os.urandom(32)

    def param(permission):
        return protocol.authenticate(pin.get_pin_token(pin_text, permission, RP_ID), hash_)

    pin_text = PIN
    rp = {"id": RP_ID, "name": RP_ID}
    user = {"id": os.urandom(16), "name": "ada"}
    for algorithm in (-7, -8):
        params = [{"type": "public-key", "alg": algorithm}]
        made = ctap.make_credential(
            hash_, rp, user, params, None, {"credProtect": 3}, {"rk": True}, param(1), protocol.VERSION
        )
        assert made.auth_data.extensions == {"credProtect": 3}
        assert made.auth_data.is_user_verified() and made.auth_data.is_user_present()
        Attestation.for_type(made.fmt)().verify(made.att_statement, made.auth_data, hash_)
        credential = made.auth_data.credential_data
        listed = [{"type": "public-key", "id": credential.credential_id}]
        for allowed in (listed, None):
            got = ctap.get_assertion(RP_ID, hash_, allowed, None, None, param(2), protocol.VERSION)
            assert got.credential["id"] == credential.credential_id
            got.verify(hash_, credential.public_key)
        refused_with(CtapError.ERR.NO_CREDENTIALS, lambda: ctap.get_assertion(RP_ID, hash_, listed))
        refused_with(
            CtapError.ERR.CREDENTIAL_EXCLUDED,
            lambda: ctap.make_credential(hash_, rp, user, params, listed, None, None, param(1), protocol.VERSION),
        )
        spent = param(2)
        ctap.get_assertion(RP_ID, hash_, listed, None, None, spent, protocol.VERSION)
        refused_with(
            CtapError.ERR.PIN_AUTH_INVALID,
            lambda: ctap.get_assertion(RP_ID, hash_, listed, None, None, spent, protocol.VERSION),
        )


def use_client(device):
    client = Fido2Client(device, "https://signer.example")
    challenge = os.urandom(32)
    touches = []
    made = client.make_credential(
        {
            "rp": {"id": "signer.example", "name": "x"},
            "user": {"id": b"ada", "name": "ada"},
            "challenge": challenge,
            "pubKeyCredParams": [{"type": "public-key", "alg": -7}],
        },
        pin="another-1234",
        on_keepalive=touches.append,
    )
    credential = made.attestation_object.auth_data.credential_data
    listed = [{"type": "public-key", "id": credential.credential_id}]
    options = {"rpId": "signer.example", "challenge": challenge, "allowCredentials": listed}
    got = client.get_assertion(options, pin="another-1234", on_keepalive=touches.append).get_response(0)
    AssertionResponse.create(listed[0], got.authenticator_data, got.signature).verify(
        got.client_data.hash, credential.public_key
    )
    assert 2 in touches


def u2f(port):
    device = connect(port, 64)
    ctap = Ctap1(device)
    assert ctap.get_version() == "U2F_V2"
    challenge, application = os.urandom(32), sha256(RP_ID.encode())

    def touched(work):
        for _ in range(200):
            try:
                return work()
            except ApduError as error:
                assert error.code == 0x6985, error
        raise AssertionError("never touched")

    registration = touched(lambda: ctap.register(challenge, application))
    registration.verify(application, challenge)
    held("registered")
    signature = touched(lambda: ctap.authenticate(challenge, application, registration.key_handle))
    signature.verify(application, challenge, registration.public_key)
    held("signed")
    try:
        ctap.authenticate(challenge, application, registration.key_handle, check_only=True)
    except ApduError as error:
        assert error.code == 0x6985
    try:
        ctap.authenticate(challenge, application, os.urandom(64), check_only=True)
    except ApduError as error:
        assert error.code == 0x6A80
    held("handles told apart")


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    {"verify": verify, "drive": drive, "u2f": u2f}[command](*map(int, arguments))
