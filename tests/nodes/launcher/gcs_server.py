"""gcp-storage-emulator: `gcs_server.py PORT OWNER FOLDER`. Ends with process OWNER; FOLDER only marks
it."""

import os
import sys
import threading
import time

from gcp_storage_emulator.server import create_server


def end_with(owner):
    while os.path.exists(f"/proc/{owner}"):
        time.sleep(1)
    os._exit(0)


port, owner = sys.argv[1:3]
if owner:
    threading.Thread(target=end_with, args=(owner,), daemon=True).start()
create_server("127.0.0.1", int(port), in_memory=True).run()
