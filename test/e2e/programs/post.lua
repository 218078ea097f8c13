-- What wrk sends: a body that takes several reads, each on a connection of its own.
wrk.method = "POST"
wrk.body = string.rep("what is sent to the server\n", 8000)
wrk.headers["Connection"] = "close"
