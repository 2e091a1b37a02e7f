"""Our own document of the API, held against a running Tandem by schemathesis: it makes requests of
every operation, those that fit and those that do not, and reads the answers by the document."""

import asyncio
import sys

from bench import proved, tandem

KEY = "of-whoever-runs-the-server"

# Each operation gets this many requests that fit, and as many that do not.
EXAMPLES = 20

# No server error; what is answered is in the document: status, media type, body and headers; and
# what asks for a key is not answered without.
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "ignored_auth",
]

# Calls that are made by the way end soon and are few; nobody outside is told anything.
SETTINGS = {
    "TANDEM__HTTP__KEY": KEY,
    "TANDEM__LIMITS__CALLS": "8",
    "TANDEM__LIMITS__TOTAL_S": "5",
    "TANDEM__LIMITS__RINGING_S": "5",
    "TANDEM__WEBHOOKS__ALLOW_HTTP": "false",
    "TANDEM__WEBHOOKS__ALLOW_PRIVATE": "false",
}


async def prove(programs):
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
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        out, _ = await process.communicate()
        said = out.decode()
        assert process.returncode == 0, said
        operations = next(line for line in said.splitlines() if "Operations:" in line)
    proved(f"schemathesis finds nothing between the document and its server; {operations.strip()}")
