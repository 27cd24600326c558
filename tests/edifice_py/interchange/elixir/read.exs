# Stands in for Nx and Axon: reads a file as Nx.deserialize does, and tells what Elixir has then.
defmodule Axon.ModelState do
  defstruct [:data, :parameters, :state, :frozen_parameters]
end

defmodule Nx.Container.Axon.ModelState do
  def deserialize(fields, kept), do: struct!(Axon.ModelState, fields ++ kept)
end

defmodule Nx.Container.Map do
  def deserialize(pairs, :ok), do: Map.new(pairs)
end

defmodule Nx.Container.Tuple do
  def deserialize(pairs, :ok), do: List.to_tuple(for {[], value} <- pairs, do: value)
end

defmodule Read do
  def file(path) do
    <<"nx", 1, 0, size::64, data::binary-size(size), numbers::binary>> = File.read!(path)
    data |> :erlang.binary_to_term() |> value(numbers) |> tell("")
  end

  defp value({:t, shape, {kind, bits}, names, [], offset, size}, numbers) do
    true = length(names) == tuple_size(shape)
    {:tensor, Tuple.to_list(shape), "#{kind}#{bits}", binary_part(numbers, offset, size)}
  end

  defp value({module, pairs, metadata}, numbers) do
    module.deserialize(Enum.map(pairs, fn {key, v} -> {key, value(v, numbers)} end), metadata)
  end

  defp tell({:tensor, shape, type, data}, path) do
    IO.puts("#{path} #{type}#{inspect(shape, charlists: :as_lists)} #{Base.encode16(data)}")
  end

  defp tell(%Axon.ModelState{} = state, path) do
    kept = {state.parameters, state.state, state.frozen_parameters}
    IO.puts("#{path} ModelState #{inspect(kept, limit: :infinity)}")
    tell(state.data, path)
  end

  defp tell(map, path) when is_map(map) do
    for {name, inner} <- map, do: tell(inner, "#{path}/#{name}")
  end

  defp tell(tuple, path) when is_tuple(tuple) do
    for {inner, i} <- tuple |> Tuple.to_list() |> Enum.with_index(), do: tell(inner, "#{path}/#{i}")
  end
end

for path <- System.argv(), do: Read.file(path)
