"""`GET /v1/models`: the one model that answers, whatever name a request gives."""

import time
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse

from turbo_stream.serving.hub import Hub, Refused
from turbo_stream.serving.limits import retry_headers
from turbo_stream.serving.openai.error import error_body


class ModelList:
    """The endpoints."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._created = int(time.time())

    async def all(self, request: Request) -> JSONResponse:
        """Answer `/v1/models`."""
        try:
            return JSONResponse({"object": "list", "data": [self._model()]})
        except Refused as refused:
            return self._refuse(refused)

    async def one(self, request: Request) -> JSONResponse:
        """Answer `/v1/models/{id}`."""
        try:
            model = self._model()
        except Refused as refused:
            return self._refuse(refused)
        if request.path_params["id"] != model["id"]:
            message = f"there is no such model; this server has {model['id']}"
            body = error_body(404, message, code="model_not_found", param="model")
            return JSONResponse(body, 404)
        return JSONResponse(model)

    def _model(self) -> dict[str, Any]:
        return {
            "id": self._hub.models.ready().model,
            "object": "model",
            "created": self._created,
            "owned_by": "turbo-stream",
        }

    def _refuse(self, refused: Refused) -> JSONResponse:
        self._hub.metrics.turned_away(refused.reason)
        return JSONResponse(error_body(503, str(refused)), 503, retry_headers(503))
