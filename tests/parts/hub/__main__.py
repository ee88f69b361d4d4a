"""`python -m tests.parts.hub --port N HUB...`: an Event Hubs namespace on this machine, until it is killed."""

import argparse
from pathlib import Path

from proton.reactor import Container

from tests.parts.hub.broker import Broker
from tests.parts.hub.padded_io import PaddedIO
from tests.parts.hub.stored import Hub

parser = argparse.ArgumentParser(prog="python -m tests.parts.hub")
parser.add_argument("hubs", nargs="+", metavar="HUB")
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--partitions", type=int, default=4)
parser.add_argument("--journal", type=Path, help="keeps the events over restarts")
parser.add_argument("--geo", action="store_true", help="offsets as hubs with geo-replication have them: no numbers")
options = parser.parse_args()
hubs = {name: Hub(name, options.partitions, options.journal, geo=options.geo) for name in options.hubs}
Container(Broker(options.port, hubs), global_handler=PaddedIO()).run()
