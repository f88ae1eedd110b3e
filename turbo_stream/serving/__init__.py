"""One process, many clients: WebSocket, web page, REST, Wyoming and MQTT over shared models."""
