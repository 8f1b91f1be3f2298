// Azurite's blob server: `azure_server.js AZURITE PORT OWNER FOLDER`. Ends with process
// OWNER; FOLDER only marks it.
"use strict";

const fs = require("fs");

const [azurite, port, owner] = process.argv.slice(2);
if (owner)
  setInterval(() => fs.existsSync(`/proc/${owner}`) || process.exit(0), 1000);
// Azurite's own handler waits for clients to hang up.
process.on("SIGTERM", () => process.exit(0));
process.argv = [process.argv[0], "azurite-blob", "--blobPort", port, "--inMemoryPersistence",
  "--skipApiVersionCheck", "--disableTelemetry", "--silent"];
require(`${azurite}/dist/src/blob/main.js`);
