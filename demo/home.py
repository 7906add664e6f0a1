"""The demo's Home Assistant: its configuration folder, and its API."""

from http import HTTPStatus
import json
from pathlib import Path
import shutil
from typing import Any

import aiohttp

from .processes import LOOPBACK, PROJECT, DemoError, until

DOMAIN = "openvox_gsm"
DASHBOARD = "gsm-gateway"
MESSAGES = "openvox-gsm-messages"
USER = "demo"
PASSWORD = "demo"
PHONE = "+491713920001"
"""The number that automations.yaml answers, and the only contact."""
SPAN_NUMBER = "+491511000002"
"""The number of span 2, which a gateway of 2013 doesn't know."""
BALANCE_CODE = "*102#"
"""What the network answers with the balance and until when the SIM is valid."""

_LOW_BALANCE: dict[str, Any] = {
    "balances": ["sensor.gsm_2_balance"],
    "limit": 5,
    "actions": [
        {
            "action": "persistent_notification.create",
            "data": {"title": "Top up the SIM", "message": "{{ message }}"},
        }
    ],
}

_START_SECONDS = 180.0
"""The first start compiles thousands of modules, on a small machine for minutes."""


def make_config(folder: Path, port: int) -> None:
    """Make a fresh configuration folder for a Home Assistant on this port."""
    shutil.rmtree(folder, ignore_errors=True)
    components = folder / "custom_components"
    components.mkdir(parents=True)
    # A link: a restart in the page runs the code as it is then.
    (components / DOMAIN).symlink_to(PROJECT / "custom_components" / DOMAIN)
    # Copies: what is edited in the page does not change the project.
    for source in Path(__file__).parent.glob("*.yaml"):
        shutil.copy(source, folder)
    shutil.copytree(PROJECT / "blueprints", folder / "blueprints")
    _store(folder, "http", 1, {"server_host": [LOOPBACK], "server_port": port})
    # These two steps would set up integrations that use the internet (weather, radio,
    # speech), and ask about statistics.
    _store(folder, "onboarding", 4, {"done": ["core_config", "analytics"]})


def _store(folder: Path, key: str, version: int, data: dict[str, Any]) -> None:
    """Write what a person would have set in the page before."""
    path = folder / ".storage" / key
    path.parent.mkdir(exist_ok=True)
    path.write_text(
        json.dumps({"version": version, "minor_version": 1, "key": key, "data": data})
    )


class HomeAssistant:
    """Talks to the demo's Home Assistant as its page does."""

    def __init__(self, session: aiohttp.ClientSession, port: int) -> None:
        """Take a session, which someone else closes."""
        self.url = f"http://{LOOPBACK}:{port}"
        self._session = session
        self._headers: dict[str, str] = {}
        self._token = ""
        self._entry_id = ""

    # ---- API -----------------------------------------------------------------------------

    async def get(self, path: str) -> Any:
        """Read something."""
        return await self._request("GET", path)

    async def post(self, path: str, **data: Any) -> Any:
        """Send something."""
        return await self._request("POST", path, json=data)

    async def _request(self, method: str, path: str, **content: Any) -> Any:
        async with self._session.request(
            method, self.url + path, headers=self._headers, **content
        ) as response:
            body = await response.text()
        if response.status >= HTTPStatus.BAD_REQUEST:
            raise DemoError(
                f"Home Assistant answered {path} with {response.status}: {body}"
            )
        return json.loads(body)

    async def command(self, kind: str, **fields: Any) -> Any:
        """Send one command over a WebSocket, for what the REST API cannot do."""
        async with self._session.ws_connect(f"{self.url}/api/websocket") as socket:
            await socket.receive_json()  # auth_required
            await socket.send_json({"type": "auth", "access_token": self._token})
            await socket.receive_json()  # auth_ok
            await socket.send_json({"id": 1, "type": kind, **fields})
            answer = await socket.receive_json()
        if not answer.get("success"):
            raise DemoError(f"Home Assistant refused {kind}: {answer}")
        return answer["result"]

    async def action(self, name: str, **data: Any) -> None:
        """Perform an action and wait for its end."""
        await self.post(f"/api/services/{name.replace('.', '/')}", **data)

    async def ask_action(self, name: str, **data: Any) -> dict[str, Any]:
        """Perform an action and give its response."""
        path = f"/api/services/{name.replace('.', '/')}?return_response"
        response: dict[str, Any] = (await self.post(path, **data))["service_response"]
        return response

    async def state(self, entity_id: str) -> str:
        """Give the state of an entity."""
        return str((await self.get(f"/api/states/{entity_id}"))["state"])

    # ---- Setting it up -------------------------------------------------------------------

    async def set_up(self, gateway_port: int) -> None:
        """Make the user, add the gateway, open its dashboard first."""
        await self.make_user()
        await self._add_gateway(gateway_port)
        await self.add_contact("My phone", PHONE)
        await self._add(
            "ussd_query",
            name="Balance",
            span="2",
            code=BALANCE_CODE,
            interval=24,
            pattern="have ([0-9.]+)",
            unit="EUR",
            date_pattern="until ([0-9.]+)",
        )
        # Not before: Home Assistant warns of a trigger whose entity isn't there.
        await self.post(
            "/api/config/automation/config/low_balance",
            alias="Warn when the balance is low",
            use_blueprint={
                "path": "openvox_gsm/low_balance.yaml",
                "input": _LOW_BALANCE,
            },
        )
        await self.command(
            "frontend/set_user_data", key="core", value={"default_panel": DASHBOARD}
        )

    async def make_user(self) -> None:
        """Wait for the first start, and log in as a new user."""
        await until("The start of Home Assistant", self._answers, _START_SECONDS)
        await self._onboard()
        await until(
            "The whole start of Home Assistant", self._is_running, _START_SECONDS
        )

    async def set_options(self, **options: Any) -> None:
        """Change options of the gateway; the others stay."""
        flows = "/api/config/config_entries/options/flow"
        form = await self.post(flows, handler=self._entry_id)
        known = {
            field["name"]: field["description"]["suggested_value"]
            for field in form["data_schema"]
            if "suggested_value" in field.get("description", {})
        }
        await self.post(f"{flows}/{form['flow_id']}", **(known | options))

    async def set_language(self, language: str) -> None:
        """Change the user's language."""
        await self.command(
            "frontend/set_user_data", key="language", value={"language": language}
        )

    async def add_user(self, name: str, group: str) -> None:
        """Add a user of a group, with the same password."""
        made = await self.command("config/auth/create", name=name, group_ids=[group])
        await self.command(
            "config/auth_provider/homeassistant/create",
            user_id=made["user"]["id"],
            username=name,
            password=PASSWORD,
        )

    async def add_dashboard(self, path: str, title: str) -> None:
        """Add a dashboard with one empty section."""
        await self.command(
            "lovelace/dashboards/create",
            url_path=path,
            title=title,
            mode="storage",
            show_in_sidebar=True,
            require_admin=False,
        )
        view = {"title": title, "type": "sections", "sections": [{"cards": []}]}
        await self.command(
            "lovelace/config/save", url_path=path, config={"views": [view]}
        )

    async def _answers(self) -> bool:
        try:
            await self.get("/api/onboarding")
        except aiohttp.ClientError, DemoError:
            return False
        return True

    async def _is_running(self) -> bool:
        return bool((await self.get("/api/config"))["state"] == "RUNNING")

    async def _onboard(self) -> None:
        client_id = f"{self.url}/"
        made = await self.post(
            "/api/onboarding/users",
            client_id=client_id,
            name="Demo",
            username=USER,
            password=PASSWORD,
            language="en",
        )
        form = {
            "grant_type": "authorization_code",
            "code": made["auth_code"],
            "client_id": client_id,
        }
        tokens = await self._request("POST", "/auth/token", data=form)
        self._token = tokens["access_token"]
        self._headers["Authorization"] = f"Bearer {self._token}"
        await self.post(
            "/api/onboarding/integration", client_id=client_id, redirect_uri=client_id
        )

    async def _add_gateway(self, port: int) -> None:
        """Add the gateway as a person does in the page."""
        flows = "/api/config/config_entries/flow"
        form = await self.post(flows, handler=DOMAIN)
        result = await self.post(
            f"{flows}/{form['flow_id']}",
            host=LOOPBACK,
            port=port,
            username="admin",
            password="admin",
        )
        if result["type"] != "create_entry":
            raise DemoError(f"The gateway could not be added: {result}")
        self._entry_id = result["result"]["entry_id"]

    async def add_contact(self, name: str, number: str) -> None:
        """Add a contact that any span may write to."""
        await self._add("contact", name=name, number=number, span="automatic")

    async def _add(self, kind: str, **fields: Any) -> None:
        """Add a contact or USSD query to the gateway as a person does in the page."""
        flows = "/api/config/config_entries/subentries/flow"
        form = await self.post(flows, handler=[self._entry_id, kind])
        result = await self.post(f"{flows}/{form['flow_id']}", **fields)
        if result["type"] != "create_entry":
            raise DemoError(f"The {kind} could not be added: {result}")
