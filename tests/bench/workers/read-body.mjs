// A floor: a Worker that reads the body and does nothing with it.
export default {
  async fetch(request) {
    await request.bytes();
    return new Response("ok");
  },
};
