// Another Worker, which asks that of the README.
export default {
  async test(_controller, { recipe }) {
    const response = await recipe.fetch("http://recipe/", { method: "POST", body: "Are you a Worker?" });
    console.log(JSON.stringify({ text: await response.text() }));
  },
};
