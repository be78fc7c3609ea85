<?php
// Echo handler for PHP: says how PHP reads a request. docs/probe.md says when to mount it.
// Run it with `POSTERN_ECHO=1 php -S 127.0.0.1:PORT -t php`.
if (!getenv('POSTERN_ECHO')) {
    http_response_code(404);
    exit;
}
$query = [];
foreach ($_GET as $name => $value) {
    $query[] = [(string) $name, $value];
}
header('Content-Type: application/json');
echo json_encode([
    'postern_echo' => 1,
    'framework' => 'php ' . PHP_VERSION,
    'method' => $_SERVER['REQUEST_METHOD'],
    'scheme' => empty($_SERVER['HTTPS']) ? 'http' : 'https',
    'host' => $_SERVER['HTTP_HOST'] ?? null,
    'path' => explode('?', $_SERVER['REQUEST_URI'])[0],
    'prefix' => '',
    'query' => $query,
    'company' => $_GET['company'] ?? null,
    'address' => $_SERVER['REMOTE_ADDR'],
], JSON_INVALID_UTF8_SUBSTITUTE);
