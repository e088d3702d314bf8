"""serve_openai_template - a chat template that takes tools, for a model that has none; a tool, and
a talk in which it is called."""

import json

# As Qwen's: calls between tags, results as a user's.
TEMPLATE = (
    "{% if tools %}<|im_start|>system\nCall functions in <tool_call></tool_call>: "
    "{{ tools | tojson }}<|im_end|>\n{% endif %}"
    "{% for m in messages %}<|im_start|>{{ 'user' if m.role == 'tool' else m.role }}\n"
    "{{ m.content }}{% for c in m.tool_calls or [] %}<tool_call>\n"
    "{\"name\": \"{{ c.function.name }}\", \"arguments\": {{ c.function.arguments | tojson }}}\n"
    "</tool_call>{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}")
WEATHER = {"type": "function", "function": {
    "name": "get_weather", "description": "Weather of a city", "parameters": {
        "type": "object", "required": ["city", "unit"], "$defs": {"unit": {"enum": ["c", "f"]}},
        "properties": {"city": {"type": "string", "maxLength": 20},
                       "unit": {"$ref": "#/$defs/unit"}}}}}


def shown_calls(city):
    """A talk in which calls were made: a small model then makes one more."""
    messages = []
    for other in ("Rome", "Oslo", "Bonn"):
        function = {"name": "get_weather",
                    "arguments": json.dumps({"city": other, "unit": "c"})}
        call = {"id": "call00001", "type": "function", "function": function}
        messages += [{"role": "user", "content": f"What is the weather in {other}?"},
                     {"role": "assistant", "content": None, "tool_calls": [call]},
                     {"role": "tool", "tool_call_id": "call00001", "content": "21"},
                     {"role": "assistant", "content": "It is 21 degrees."}]
    return messages + [{"role": "user", "content": f"What is the weather in {city}?"}]
