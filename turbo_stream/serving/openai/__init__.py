"""The server for clients of OpenAI's API: transcriptions of files, and of live sound."""
