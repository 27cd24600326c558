# What of Elixir 1.18's JSON the adapter uses, for the older Elixir that some systems package.
unless Code.ensure_loaded?(JSON) do
  defmodule JSON do
    @moduledoc false

    def decode(text) do
      case value(String.trim_leading(text)) do
        {value, ""} -> {:ok, value}
        {_value, rest} -> {:error, {:invalid_byte, 0, :binary.first(rest)}}
      end
    rescue
      _ -> {:error, {:unexpected_end, byte_size(text)}}
    end

    def encode!(nil), do: "null"
    def encode!(value) when is_boolean(value) or is_number(value), do: to_string(value)
    def encode!(value) when is_atom(value), do: encode!(to_string(value))
    def encode!(values) when is_list(values), do: "[#{Enum.map_join(values, ",", &encode!/1)}]"

    def encode!(%{} = object) do
      "{#{Enum.map_join(object, ",", fn {name, v} -> "#{encode!(name)}:#{encode!(v)}" end)}}"
    end

    def encode!(text) when is_binary(text) do
      true = String.valid?(text)
      <<?", for(<<c::utf8 <- text>>, into: "", do: escaped(c))::binary, ?">>
    end

    defp escaped(c) when c < 32, do: "\\u" <> String.pad_leading(Integer.to_string(c, 16), 4, "0")
    defp escaped(c) when c in [?", ?\\], do: <<?\\, c>>
    defp escaped(c), do: <<c::utf8>>

    defp value("{" <> rest), do: members(skip(rest), %{})
    defp value("[" <> rest), do: elements(skip(rest), [])
    defp value("\"" <> rest), do: text(rest, "")
    defp value("null" <> rest), do: {nil, skip(rest)}
    defp value("true" <> rest), do: {true, skip(rest)}
    defp value("false" <> rest), do: {false, skip(rest)}

    defp value(number) do
      [digits] = Regex.run(~r/^-?\d+(\.\d+)?([eE][-+]?\d+)?/, number, capture: :first)
      rest = skip(binary_part(number, byte_size(digits), byte_size(number) - byte_size(digits)))

      {number, ""} =
        if digits =~ ~r/^-?\d+$/, do: Integer.parse(digits), else: Float.parse(digits)

      {number, rest}
    end

    defp members("}" <> rest, object), do: {object, skip(rest)}
    defp members("," <> rest, object), do: members(skip(rest), object)

    defp members("\"" <> rest, object) do
      {name, ":" <> rest} = text(rest, "")
      {value, rest} = value(skip(rest))
      members(rest, Map.put(object, name, value))
    end

    defp elements("]" <> rest, list), do: {Enum.reverse(list), skip(rest)}
    defp elements("," <> rest, list), do: elements(skip(rest), list)

    defp elements(rest, list) do
      {value, rest} = value(rest)
      elements(rest, [value | list])
    end

    defp text("\"" <> rest, done), do: {done, skip(rest)}

    defp text(<<"\\u", hex::binary-size(4), rest::binary>>, done) do
      text(rest, <<done::binary, String.to_integer(hex, 16)::utf8>>)
    end

    defp text(<<?\\, c, rest::binary>>, done) when c in [?", ?\\, ?/],
      do: text(rest, done <> <<c>>)

    defp text(<<c::utf8, rest::binary>>, done), do: text(rest, <<done::binary, c::utf8>>)

    defp skip(text), do: String.trim_leading(text)
  end
end
