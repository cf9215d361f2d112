"""stored.py - archived days as they would be found in S3: an object and its
receipt, put without having been archived."""
import datetime
import http.client
import json
import time
import urllib.parse
import zoneinfo

import rig

ACCOUNT = "111122223333"
DEFAULT = "{account}/{region}/{group}/dt={date}/events.{ext}"
BODY = b"not read by what looks at receipts alone"
CRC = rig.crc64nvme(BODY)


def midnight(day, zone="UTC"):
    """The first instant of a date, in ms."""
    at = datetime.datetime.combine(day, datetime.time(),
                                   zoneinfo.ZoneInfo(zone))
    return int(at.timestamp() * 1000)


def key_of(template, group, day):
    return template.format(
        account=ACCOUNT, region=rig.REGION, group=group.removeprefix("/"),
        date=day.isoformat(), yyyy="%04d" % day.year, mm="%02d" % day.month,
        dd="%02d" % day.day, ext="ndjson.gz")


class Store:
    """Puts days into the model's bucket, quickly."""

    def __init__(self, model, bucket="test-bucket"):
        self.model, self.bucket = model, bucket
        self.wire = http.client.HTTPConnection("127.0.0.1", model.port)

    def send(self, method, key, body=b""):
        self.model.control("set?check-signature=0")
        reply = self.raw(method, key, body)
        self.model.control("set?check-signature=1")
        return reply

    def raw(self, method, key, body=b""):
        self.wire.request(method, "/%s/%s" % (
            self.bucket, urllib.parse.quote(key)), body)
        reply = self.wire.getresponse()
        reply.read()
        if reply.status not in (200, 204):
            raise RuntimeError("%s %s: %d" % (method, key, reply.status))
        return reply.getheader("ETag")

    def delete(self, key):
        self.send("DELETE", key)

    def day(self, group, day, state="sealed", zone="UTC", template=DEFAULT,
            **changes):
        self.model.control("set?check-signature=0")
        key = self.raw_day(group, day, state, zone, template, **changes)
        self.model.control("set?check-signature=1")
        return key

    def raw_day(self, group, day, state="sealed", zone="UTC",
                template=DEFAULT, **changes):
        """`changes` go into the receipt; those of source and window by
        their names."""
        key = key_of(template, group, day)
        etag = self.raw("PUT", key, BODY)
        receipt = {
            "version": 1, "state": state, "key": key, "etag": etag,
            "source": {"account": ACCOUNT, "region": rig.REGION,
                       "group": group, "stream_prefix": None, "via": "read",
                       "masked": False},
            "window": {"from": rig.stamp(midnight(day, zone)),
                       "until": rig.stamp(midnight(
                           day + datetime.timedelta(1), zone)),
                       "timezone": zone},
            "events": 10, "first_event": rig.stamp(midnight(day, zone)),
            "last_event": rig.stamp(midnight(day, zone)), "settled": None,
            "bytes_raw": 1000, "bytes_stored": len(BODY), "crc64nvme": CRC,
            "crc64nvme_confirmed": True, "digest": "0" * 32,
            "format": "ndjson", "fields": ["timestamp", "stream", "message"],
            "compression": "gzip",
            "archived_at": rig.stamp(int(time.time() * 1000)),
            "verified_at": None, "reason": None, "tool_version": "0",
            "index": []}
        for name, value in changes.items():
            where = next((receipt[w] for w in ("source", "window")
                          if name in receipt[w]), receipt)
            where[name] = value
        self.raw("PUT", rig.receipt_key(key), json.dumps(receipt).encode())
        return key
