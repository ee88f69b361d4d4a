"""The app: one line per blueprint. Nothing here reads settings or opens a connection."""

import azure.functions as func

from blueprints import audit, claims, exports, health, ingest, rollups, upkeep, words

app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

app.register_functions(ingest.bp)
app.register_functions(claims.bp)
app.register_functions(rollups.bp)
app.register_functions(upkeep.bp)
app.register_functions(audit.bp)
app.register_functions(health.bp)
app.register_functions(words.bp)
app.register_functions(exports.bp)
