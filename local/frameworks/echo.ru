# Echo handler for Rack: says how Rack reads a request. docs/probe.md says when to mount it.
# Run it with `POSTERN_ECHO=1 puma --bind tcp://127.0.0.1:PORT echo.ru`.
require "json"
require "rack"

# The handler. Mount it with `map("/postern/echo") { run ECHO }`.
ECHO = lambda do |env|
  request = Rack::Request.new(env)
  parameters = request.GET
  reading = {
    postern_echo: 1,
    framework: "rack #{Rack.release}",
    method: request.request_method,
    scheme: request.scheme,
    host: request.host,
    path: request.path,
    prefix: "",
    query: parameters.to_a,
    company: parameters["company"],
    address: request.ip,
  }
  [200, { "content-type" => "application/json" }, [JSON.generate(reading)]]
end

map("/postern/echo") { run ECHO } if ENV["POSTERN_ECHO"]
run ->(_env) { [404, { "content-type" => "text/plain" }, ["not found\n"]] }
