# How Rack reads a parameter: one JSON object a line in, one a line out. See parsers.mjs, which has the form of both.
require "json"
require "rack"

def read(target, name)
  query = target.split("?", 2)[1]
  [Rack::Request.new({ "QUERY_STRING" => query, "rack.input" => nil }).GET[name]]
rescue StandardError => error
  [{ error: error.class.name }]
end

$stdin.each_line do |line|
  asked = JSON.parse(line)
  values = read(asked["target"], asked["name"])
  values = values.map { |value| value.is_a?(String) && !value.valid_encoding? ? { error: "not UTF-8" } : value }
  puts JSON.generate({ rack: values })
end
