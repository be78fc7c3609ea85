// What a Worker answers that lets nothing through (RFC 6750 section 3.1).

export const unauthorized = () => new Response(null, { status: 401, headers: { 'www-authenticate': 'Bearer' } });
export const forbidden = () => new Response(null, { status: 403 });
