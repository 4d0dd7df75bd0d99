#!/usr/bin/env python3
"""Invents a month of answers to a delivered plan, so that the guides' `feedback` and `iterate` can be replayed.

    python3 bench/telco_answers.py x/thalweg.db > answers.jsonl

Every customer leaves with the risk that was logged, lowered by a fifth where a message went out; offers are taken with the
logged acceptance. Nothing here is a customer's real behaviour. Python standard library only; same ledger, same answers.
"""

import json
import random
import sqlite3
import sys
from datetime import datetime, timedelta, timezone

REDUCTION = 0.2


def line(number, decision, event, moment):
    return json.dumps({
        "type": "track",
        "messageId": f"answer-{number}",
        "userId": decision["customer_key"],
        "event": event,
        "timestamp": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "properties": {"decision_id": decision["decision_id"]},
    })


def main(ledger):
    rows = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)
    rows.row_factory = sqlite3.Row
    query = """
        SELECT d.*, s.state AS delivery FROM decisions d JOIN plans p USING (plan_id)
        LEFT JOIN deliveries s ON s.decision_id = d.decision_id
        WHERE p.state = 'active' AND d.cycle = (SELECT max(cycle) FROM plans) ORDER BY d.decision_id"""
    dice, number = random.Random(1), 0
    for decision in rows.execute(query):
        decided = datetime.fromtimestamp(decision["decided_at"] / 1e6, timezone.utc)
        reached = decision["delivery"] == "sent"
        leaves = dice.random() < decision["risk"] * (1 - REDUCTION * reached)
        accepts = dice.random() < decision["acceptance"] * (reached and decision["offer"] is not None)
        for happens, event in ((accepts, "Offer Accepted"), (leaves, "Subscription Cancelled")):
            moment = decided + timedelta(days=1 + 27 * dice.random())
            if happens:
                number += 1
                print(line(number, decision, event, moment))


if __name__ == "__main__":
    main(sys.argv[1])
