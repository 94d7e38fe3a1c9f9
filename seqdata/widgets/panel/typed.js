// A click can overtake what was typed: ipywidgets holds the last letters of a field back for as
// long as the kernel is busy with the first. So each click on a button of the panel is preceded
// by what its fields say, in a message that nothing holds back.
const REFERENCE = "IPY_MODEL_";

export default {
  async render({ model, el }) {
    const fields = await Promise.all(Object.entries(model.get("fields")).map(
      async ([name, one]) => [name, await model.widget_manager.get_model(one.slice(REFERENCE.length))]));
    const said = (field) => field.get("_options_labels")?.[field.get("index")] ?? field.get("value");
    const tell = ({ target }) => {
      if (el.closest(".seqdata-panel")?.contains(target) && target.closest("button"))
        model.send({ typed: Object.fromEntries(fields.map(([name, field]) => [name, said(field)])) });
    };
    document.addEventListener("click", tell, true);
    return () => document.removeEventListener("click", tell, true);
  },
};
