"""Our own document of the API, held against a running Tandem by schemathesis: it makes requests of
every operation, those that fit and those that do not, and reads the answers by the document."""

import asyncio
import os
import sys
import tempfile

from bench import proved, tandem

KEY = "of-whoever-runs-the-server"

# Each operation gets this many requests that fit, and as many that do not.
EXAMPLES = 10

# No server error, and what is answered is in the document: status, media type, body and headers.
# That nothing is answered without a key, and nothing of somebody else's, a story of ours asks.
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
]

# Calls that are made by the way end soon; what lives at the end is cut off with the server.
SETTINGS = {
    "TANDEM__HTTP__KEY": KEY,
    "TANDEM__LIMITS__TOTAL_S": "2",
    "TANDEM__LIMITS__RINGING_S": "2",
}


async def prove(programs):
    with tempfile.TemporaryDirectory() as notes:
        said = await asked(programs, notes)
    operations = next(line for line in said.splitlines() if "Operations:" in line)
    proved(f"schemathesis finds nothing between the document and its server; {operations.strip()}")


async def asked(programs, notes):
    async with tandem(programs, **SETTINGS) as api:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "schemathesis.cli",
            "run",
            f"{api.url}/openapi.json",
            "--phases=examples,coverage,fuzzing",
            f"--checks={','.join(CHECKS)}",
            f"--max-examples={EXAMPLES}",
            "--seed=1",
            "--generation-database=none",
            "--suppress-health-check=all",
            "--no-color",
            f"--header=authorization: Bearer {KEY}",
            env=os.environ | {"SCHEMATHESIS_HOOKS": "api_hooks", "PYTHONPATH": sys.path[0]},
            cwd=notes,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        said = out.decode()
        assert process.returncode == 0, said
        return said
