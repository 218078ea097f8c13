-- The requests of wrk: a body of several reads, each request on a new connection.
wrk.method = "POST"
wrk.body = string.rep("what is sent to the server\n", 8000)
wrk.headers["Connection"] = "close"
