<?php
// How PHP reads a parameter: one JSON object a line in, one a line out. See parsers.mjs, which has the form of both.
// `parse_str` is what fills `$_GET`, with the same limit `max_input_vars`.
error_reporting(0);
while (($line = fgets(STDIN)) !== false) {
    $asked = json_decode($line, true);
    parse_str(explode("?", $asked["target"], 2)[1], $read);
    echo json_encode(["php" => [$read[$asked["name"]] ?? null]], JSON_INVALID_UTF8_SUBSTITUTE), "\n";
}
