// The origin of every contender, in a workerd of its own: an answer as a function URL gives it, and for the check before
// the measurement the names of the fields that arrived.

const BODY = JSON.stringify({ id: '2a7f0c1e', state: 'delivered', lines: [{ article: 'maki', count: 12 }] });

export default {
  fetch(request) {
    const body = request.url.endsWith('/echo') ? JSON.stringify([...request.headers.keys()]) : BODY;
    return new Response(body, {
      headers: {
        'content-type': 'application/json',
        'cache-control': 'no-store',
        'x-amzn-requestid': '3f1c1f7e-58a6-4cf0-9d3c-8f0d6c1b9a52',
        'x-amzn-trace-id': 'Root=1-66f0c0de-0123456789abcdef01234567;Parent=0123456789abcdef;Sampled=0',
      },
    });
  },
};
