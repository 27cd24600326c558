defmodule GoldenEdifice do
  @moduledoc """
  Edifice itself, as an implementation that golden asks: a process that speaks JSON lines.

  Copy this one file into a Mix project that depends on `edifice`, with Elixir 1.18 or newer, and give
  golden this command, to be run there:

      mix run --no-compile edifice.exs

  Run `mix compile` once before: what Mix says of compiling stands on stdout, where only protocol
  lines may. The arrays are of the default backend of Nx, which the project may configure.

  With a file of requests, as `golden export` writes it, the answers to all of them are printed as
  one object, which `golden check --answers` reads:

      mix run --no-compile edifice.exs cases.json > answers.json
  """

  alias GoldenEdifice.{Cases, Wire}

  @doc "Answer a file of requests where one is given, or every request on stdin until it ends."
  def main([]) do
    wire = Wire.open()
    Wire.write(wire, handshake())

    for line <- Wire.lines(wire) do
      Wire.write(wire, answer_line(line))
    end
  end

  def main([file]) do
    wire = Wire.open()

    with {:ok, text} <- File.read(file),
         {:ok, %{"requests" => requests}} when is_list(requests) <- JSON.decode(text) do
      answers = for request <- requests, do: Map.put(answer(request), :case, request["case"])
      Wire.write(wire, Map.put(handshake(), :answers, answers))
    else
      problem ->
        IO.puts("edifice.exs: #{file} has no requests: #{inspect(problem, limit: 3)}")
        exit({:shutdown, 2})
    end
  end

  def main(arguments) do
    Wire.open()
    IO.puts("edifice.exs: takes one file of requests, not #{Enum.join(arguments, " ")}")
    exit({:shutdown, 2})
  end

  defp handshake do
    {backend, _options} = Nx.default_backend()
    packages = for package <- [:nx, :axon, :polaris], do: "#{package} #{version(package)}"
    runtime = ["Elixir #{System.version()}", "OTP #{System.otp_release()}"]

    %{
      protocol: "golden/1",
      implementation: "edifice",
      version: version(:edifice),
      platform: Enum.join([inspect(backend)] ++ packages ++ runtime, ", ")
    }
  end

  defp version(package) do
    to_string(Application.spec(package, :vsn) || raise("#{package} is not in this Mix project"))
  end

  defp answer_line(line) do
    case JSON.decode(line) do
      {:ok, %{} = request} -> Map.put(answer(request), :id, request["id"])
      {:ok, _} -> %{id: nil, status: "error", message: "a request is an object"}
      {:error, reason} -> %{id: nil, status: "error", message: "not JSON: #{inspect(reason)}"}
    end
  end

  # Whatever one case raises, throws or exits with is its answer; the next one is answered too.
  defp answer(request) do
    %{"function" => function, "outputs" => wanted} = request
    options = Wire.to_options(Map.get(request, "options", %{}))
    inputs = Wire.to_tensors(Map.get(request, "inputs", %{}))

    case Cases.answer(function, %{options: options, inputs: inputs, outputs: wanted}) do
      {:ok, found} -> %{status: "ok", outputs: Wire.from_tensors(Map.take(found, wanted))}
      {:unsupported, reason} -> %{status: "unsupported", reason: reason}
    end
  rescue
    error ->
      message = "#{inspect(error.__struct__)}: #{Exception.message(error)}"
      %{status: "error", message: Wire.printable(message)}
  catch
    kind, reason -> %{status: "error", message: "#{kind}: #{inspect(reason)}"}
  end
end

defmodule GoldenEdifice.Wire do
  @moduledoc "The protocol's lines, options and arrays."

  @dtypes Enum.zip(
            ~w(int8 int16 int32 int64 uint8 uint16 uint32 uint64 float16 bfloat16 float32 float64),
            ~w(s8 s16 s32 s64 u8 u16 u32 u64 f16 bf16 f32 f64)a
          )
  @types Map.new([{"bool", :u8} | @dtypes])
  @names Map.new(@dtypes, fn {dtype, type} -> {to_string(type), dtype} end)

  @doc "The device of the protocol. From here on, what is printed or logged stands on stderr."
  def open do
    wire = Process.group_leader()
    # Bytes as they come: a device in Unicode mode fails on bytes that are no UTF-8.
    :ok = :io.setopts(wire, binary: true, encoding: :latin1)
    Process.group_leader(self(), Process.whereis(:standard_error))

    # Where a log handler writes cannot be changed, so that another takes its place.
    Enum.each(:logger.get_handler_ids(), &:logger.remove_handler/1)
    :ok = :logger.add_handler(:default, :logger_std_h, %{config: %{type: :standard_error}})
    wire
  end

  def lines(wire) do
    wire |> IO.binstream(:line) |> Stream.map(&String.trim_trailing(&1, "\n"))
  end

  def write(wire, message), do: IO.binwrite(wire, [JSON.encode!(message), "\n"])

  @doc "Text that is UTF-8 in any case, which JSON asks for."
  def printable(text), do: if(String.valid?(text), do: text, else: inspect(text))

  @doc "Options by name; floats that JSON cannot hold are the atoms that Nx reads."
  def to_options(options), do: Map.new(options, fn {name, value} -> {name, option(value)} end)

  defp option(%{"float" => "nan"}), do: :nan
  defp option(%{"float" => "inf"}), do: :infinity
  defp option(%{"float" => "-inf"}), do: :neg_infinity
  defp option(value), do: value

  def to_tensors(arrays), do: Map.new(arrays, fn {name, array} -> {name, to_tensor(array)} end)

  defp to_tensor(%{"dtype" => dtype, "shape" => shape, "data" => data}) do
    data
    |> Base.decode64!()
    |> Nx.from_binary(Map.fetch!(@types, dtype))
    |> Nx.reshape(List.to_tuple(shape))
  end

  def from_tensors(tensors) do
    Map.new(tensors, fn {name, tensor} -> {name, from_tensor(tensor)} end)
  end

  defp from_tensor(tensor) do
    {kind, bits} = Nx.type(tensor)

    %{
      dtype: Map.fetch!(@names, "#{kind}#{bits}"),
      shape: Tuple.to_list(Nx.shape(tensor)),
      data: Base.encode64(Nx.to_binary(tensor))
    }
  end
end

defmodule GoldenEdifice.Cases do
  @moduledoc "What each function of the cases is in Edifice, Axon, Polaris and Nx."

  alias Edifice.Generative.{VAE, VQVAE}

  @network ~w(input_size output_size latent_size encoder_sizes decoder_sizes activation)a

  @codes ~w(input_size output_size embedding_dim num_embeddings encoder_sizes decoder_sizes
            activation)a

  # All that a function takes: an option that nobody reads would be answered wrongly.
  @options %{
    "random_key" => ~w(seed)a,
    "random_split" => ~w(seed parts)a,
    # `array` tells numpy's arrays from JAX's, and means nothing here.
    "random_fold_in" => ~w(seed data array)a,
    "random_uniform" => ~w(seed shape dtype minval maxval)a,
    "random_normal" => ~w(seed shape dtype mean standard_deviation)a,
    "reparameterize" => ~w(seed)a,
    "reparameterize_chain" => ~w(seed times)a,
    "kl_divergence" => ~w()a,
    "loss" => ~w(beta)a,
    "loss_grad" => ~w(beta)a,
    "elbo_grad" => ~w(seed beta)a,
    "build" => ~w(seed)a ++ @network,
    "build_encoder" => ~w(seed)a ++ @network,
    "build_decoder" => ~w(seed)a ++ @network,
    "train" => ~w(seed beta learning_rate steps)a ++ @network,
    "activation" => ~w(name)a,
    "optimizer" =>
      ~w(name learning_rate b1 b2 eps eps_root decay momentum nesterov centered initial_scale
         initial_accumulator_value min_norm threshold)a,
    "vqvae_build" => ~w(seed)a ++ @codes,
    "vqvae_build_encoder" => ~w(seed)a ++ @codes,
    "vqvae_build_decoder" => ~w(seed)a ++ @codes,
    "vqvae_init_codebook" => ~w(seed num_embeddings embedding_dim)a,
    "vqvae_quantize" => ~w()a,
    "vqvae_quantize_grad" => ~w()a,
    "vqvae_commitment_loss" => ~w()a,
    "vqvae_commitment_loss_grad" => ~w()a,
    "vqvae_codebook_loss" => ~w()a,
    "vqvae_codebook_loss_grad" => ~w()a,
    # These pass on what they are given: Edifice ignores what it does not know.
    "vqvae_loss" => ~w(commitment_weight beta commitment_cost)a,
    "vqvae_loss_grad" => ~w(commitment_weight)a,
    "vqvae_objective_grad" => ~w(z_q commitment_weight)a,
    "vqvae_train" => ~w(seed z_q commitment_weight learning_rate steps)a ++ @codes,
    "vqvae_error" => ~w(call seed commitment_weight)a ++ @codes,
    "convention.reconstruction" => ~w(place)a,
    "convention.kl" => ~w(place)a,
    "convention.kl_of_maps" => ~w(place)a,
    "convention.log_variance" => ~w(place)a,
    "convention.vector_quantization" => ~w(place commitment_cost)a
  }
  @places %{"convention.log_variance" => "sample"}

  @doc "The outputs of a function, or why it is not offered."
  def answer(function, %{options: given} = request) do
    known = Map.new(Map.get(@options, function, []), &{to_string(&1), &1})
    unknown = Map.keys(given) -- Map.keys(known)

    cond do
      not is_map_key(@options, function) ->
        {:unsupported, "no function #{function}"}

      unknown != [] ->
        {:unsupported, "#{function} takes no #{Enum.join(unknown, ", ")}"}

      given["place"] not in [nil, Map.get(@places, function, "loss")] ->
        {:unsupported, "#{function} of the #{given["place"]}"}

      true ->
        options = for {name, value} <- given, do: {Map.fetch!(known, name), value}
        {:ok, call(function, %{request | options: options})}
    end
  end

  defp call("random_key", %{options: options}), do: %{"key" => key(options)}

  defp call("random_split", %{options: options}) do
    %{"keys" => Nx.Random.split(key(options), Keyword.take(options, [:parts]))}
  end

  defp call("random_fold_in", %{options: options, inputs: inputs}) do
    data = inputs["data"] || Keyword.fetch!(options, :data)
    %{"key" => Nx.Random.fold_in(key(options), data)}
  end

  defp call("random_uniform", request) do
    draw(&Nx.Random.uniform/4, [minval: 0.0, maxval: 1.0], request)
  end

  defp call("random_normal", request) do
    draw(&Nx.Random.normal/4, [mean: 0.0, standard_deviation: 1.0], request)
  end

  defp call("reparameterize", %{options: options, inputs: inputs}) do
    {z, new_key} = VAE.reparameterize(inputs["mu"], inputs["log_var"], key(options))
    %{"z" => z, "new_key" => new_key}
  end

  defp call("reparameterize_chain", %{options: options, inputs: inputs}) do
    {samples, new_key} =
      Enum.map_reduce(1..Keyword.fetch!(options, :times), key(options), fn _, key ->
        VAE.reparameterize(inputs["mu"], inputs["log_var"], key)
      end)

    %{"z" => Nx.stack(samples), "new_key" => new_key}
  end

  defp call("kl_divergence", %{inputs: inputs}) do
    %{"kl" => VAE.kl_divergence(inputs["mu"], inputs["log_var"])}
  end

  defp call("loss", %{options: options, inputs: inputs}) do
    %{"loss" => loss(inputs, options)}
  end

  defp call("loss_grad", %{options: options, inputs: inputs}) do
    {loss, gradients} = Nx.Defn.value_and_grad(inputs, &loss(&1, options))
    Map.put(named("grad_", gradients), "loss", loss)
  end

  defp call("elbo_grad", %{options: options, inputs: inputs}) do
    # The key is an argument too: what is closed over is no part of what Nx traces.
    differentiate = fn mu, log_var, target, key ->
      Nx.Defn.value_and_grad({mu, log_var}, fn {mu, log_var} ->
        {z, _new_key} = VAE.reparameterize(mu, log_var, key)
        VAE.loss(z, target, mu, log_var, beta(options))
      end)
    end

    arguments = [inputs["mu"], inputs["log_var"], inputs["target"], key(options)]
    {loss, {mu, log_var}} = Nx.Defn.jit_apply(differentiate, arguments)
    %{"loss" => loss, "grad_mu" => mu, "grad_log_var" => log_var}
  end

  defp call("build", %{options: options} = request) do
    {encoder, decoder} = VAE.build(network(options))
    Map.merge(encoded(encoder, request), decoded(decoder, request))
  end

  defp call("build_encoder", %{options: options} = request) do
    encoded(VAE.build_encoder(network(options)), request)
  end

  defp call("build_decoder", %{options: options} = request) do
    decoded(VAE.build_decoder(network(options)), request)
  end

  defp call("train", %{options: options, inputs: %{"batches" => batches}}) do
    {encoder, decoder} = VAE.build(network(options))
    {encoder_state, encode} = initialized(encoder, batches[0], options)
    {decoder_state, decode} = initialized(decoder, encode.(encoder_state, batches[0]).mu, options)
    {initial, update} = Polaris.Optimizers.adam(Keyword.take(options, [:learning_rate]))

    step = fn {params, optimizer, key}, x ->
      objective = fn params ->
        %{mu: mu, log_var: log_var} = encode.(%{encoder_state | data: params["encoder"]}, x)
        {z, new_key} = VAE.reparameterize(mu, log_var, key)
        reconstruction = decode.(%{decoder_state | data: params["decoder"]}, z)
        {VAE.loss(reconstruction, x, mu, log_var, beta(options)), new_key}
      end

      {{loss, new_key}, gradients} = Nx.Defn.value_and_grad(params, objective, &elem(&1, 0))
      {updates, optimizer} = update.(gradients, optimizer, params)
      {loss, {Polaris.Updates.apply_updates(params, updates), optimizer, new_key}}
    end

    params = %{"encoder" => encoder_state.data, "decoder" => decoder_state.data}
    start = {params, initial.(params), key(options)}

    {losses, {params, _optimizer, new_key}} =
      Enum.map_reduce(0..(Keyword.fetch!(options, :steps) - 1), start, fn index, state ->
        Nx.Defn.jit_apply(step, [state, batches[index]])
      end)

    named("final/encoder/", params["encoder"])
    |> Map.merge(named("final/decoder/", params["decoder"]))
    |> Map.merge(%{"losses" => Nx.stack(losses), "new_key" => new_key})
  end

  defp call("activation", %{options: options, inputs: %{"x" => x}}) do
    name = String.to_atom(Keyword.fetch!(options, :name))
    activation = &apply(Axon.Activations, name, [&1])
    gradient = Nx.Defn.grad(x, &Nx.sum(activation.(&1)))
    %{"value" => activation.(x), "grad_x" => gradient}
  end

  defp call("optimizer", %{options: options, inputs: inputs}) do
    {name, options} = Keyword.pop!(options, :name)
    {initial, update} = apply(Polaris.Optimizers, String.to_existing_atom(name), [options])
    params = %{"params" => inputs["params"]}

    step = fn {params, state}, gradient ->
      {updates, state} = update.(%{"params" => gradient}, state, params)
      params = Polaris.Updates.apply_updates(params, updates)
      {params["params"], {params, state}}
    end

    {steps, _} =
      Enum.map_reduce(
        0..(Nx.axis_size(inputs["gradients"], 0) - 1),
        {params, initial.(params)},
        fn index, state -> Nx.Defn.jit_apply(step, [state, inputs["gradients"][index]]) end
      )

    %{"params" => Nx.stack(steps)}
  end

  defp call("vqvae_build", %{options: options} = request) do
    {encoder, decoder} = VQVAE.build(network(options))
    Map.merge(encoded(encoder, request), decoded(decoder, request))
  end

  defp call("vqvae_build_encoder", %{options: options} = request) do
    encoded(VQVAE.build_encoder(network(options)), request)
  end

  defp call("vqvae_build_decoder", %{options: options} = request) do
    decoded(VQVAE.build_decoder(network(options)), request)
  end

  defp call("vqvae_init_codebook", %{options: options}), do: %{"codebook" => codebook(options)}

  defp call("vqvae_quantize", %{inputs: %{"z_e" => z_e, "codebook" => codebook}}) do
    {z_q, indices} = VQVAE.quantize(z_e, codebook)
    %{"z_q" => z_q, "indices" => indices}
  end

  defp call("vqvae_quantize_grad", %{inputs: inputs}) do
    %{"z_e" => z_e, "codebook" => codebook, "cotangent" => cotangent} = inputs

    differentiate = fn z_e, codebook, cotangent ->
      Nx.Defn.value_and_grad({z_e, codebook}, fn {z_e, codebook} ->
        {z_q, _indices} = VQVAE.quantize(z_e, codebook)
        Nx.sum(Nx.multiply(z_q, cotangent))
      end)
    end

    {value, {z_e, codebook}} = Nx.Defn.jit_apply(differentiate, [z_e, codebook, cotangent])
    %{"value" => value, "grad_z_e" => z_e, "grad_codebook" => codebook}
  end

  defp call("vqvae_commitment_loss", request), do: of_pair(&VQVAE.commitment_loss/2, request)
  defp call("vqvae_codebook_loss", request), do: of_pair(&VQVAE.codebook_loss/2, request)

  defp call("vqvae_commitment_loss_grad", request) do
    gradients_of_pair(&VQVAE.commitment_loss/2, request)
  end

  defp call("vqvae_codebook_loss_grad", request) do
    gradients_of_pair(&VQVAE.codebook_loss/2, request)
  end

  defp call("vqvae_loss", %{options: options, inputs: inputs}) do
    weight = inputs["commitment_weight"]
    options = if weight, do: [commitment_weight: weight], else: options
    %{"loss" => vqvae_loss(inputs, options)}
  end

  defp call("vqvae_loss_grad", %{options: options, inputs: inputs}) do
    {loss, gradients} = Nx.Defn.value_and_grad(inputs, &vqvae_loss(&1, options))
    Map.put(named("grad_", gradients), "loss", loss)
  end

  defp call("vqvae_objective_grad", %{options: options, inputs: inputs}) do
    %{"z_e" => z_e, "codebook" => codebook, "target" => target} = inputs

    differentiate = fn z_e, codebook, target ->
      objective = fn {z_e, codebook} ->
        {z_q, indices} = VQVAE.quantize(z_e, codebook)
        codes = codes(z_q, codebook, indices, options)
        {VQVAE.loss(z_q, target, z_e, codes, weight(options)), indices}
      end

      Nx.Defn.value_and_grad({z_e, codebook}, objective, &elem(&1, 0))
    end

    {{loss, indices}, {z_e, codebook}} = Nx.Defn.jit_apply(differentiate, [z_e, codebook, target])
    %{"loss" => loss, "indices" => indices, "grad_z_e" => z_e, "grad_codebook" => codebook}
  end

  defp call("vqvae_train", %{options: options, inputs: %{"batches" => batches}}) do
    {encoder, decoder} = VQVAE.build(network(options))
    {encoder_state, encode} = initialized(encoder, batches[0], options)
    {decoder_state, decode} = initialized(decoder, encode.(encoder_state, batches[0]), options)
    {initial, update} = Polaris.Optimizers.adam(Keyword.take(options, [:learning_rate]))

    step = fn {params, optimizer}, x ->
      objective = fn params ->
        z_e = encode.(%{encoder_state | data: params["encoder"]}, x)
        {z_q, indices} = VQVAE.quantize(z_e, params["codebook"])
        reconstruction = decode.(%{decoder_state | data: params["decoder"]}, z_q)
        codes = codes(z_q, params["codebook"], indices, options)
        {VQVAE.loss(reconstruction, x, z_e, codes, weight(options)), indices}
      end

      {{loss, indices}, gradients} = Nx.Defn.value_and_grad(params, objective, &elem(&1, 0))
      {updates, optimizer} = update.(gradients, optimizer, params)
      {{loss, indices}, {Polaris.Updates.apply_updates(params, updates), optimizer}}
    end

    params = %{
      "encoder" => encoder_state.data,
      "decoder" => decoder_state.data,
      "codebook" => codebook(options)
    }

    {steps, {params, _optimizer}} =
      Enum.map_reduce(
        0..(Keyword.fetch!(options, :steps) - 1),
        {params, initial.(params)},
        fn index, state -> Nx.Defn.jit_apply(step, [state, batches[index]]) end
      )

    {losses, indices} = Enum.unzip(steps)

    named("final/encoder/", params["encoder"])
    |> Map.merge(named("final/decoder/", params["decoder"]))
    |> Map.put("final/codebook", params["codebook"])
    |> Map.merge(%{"losses" => Nx.stack(losses), "indices" => Nx.stack(indices)})
  end

  defp call("vqvae_error", %{options: options, inputs: inputs}) do
    raised =
      try do
        attempt(Keyword.fetch!(options, :call), options, inputs)
        0
      rescue
        _ -> 1
      end

    %{"raised" => Nx.tensor(raised, type: :u8)}
  end

  defp call("convention.reconstruction", %{inputs: inputs}) do
    prior = Nx.broadcast(0.0, {1, 1})
    %{"value" => VAE.loss(inputs["reconstruction"], inputs["target"], prior, prior)}
  end

  defp call("convention.kl" <> _, %{inputs: inputs}) do
    %{"value" => VAE.kl_divergence(inputs["mean"], inputs["log_var"])}
  end

  # A sample over that of the standard normal, with the same noise.
  defp call("convention.log_variance", %{inputs: %{"log_var" => log_var}}) do
    prior = Nx.broadcast(0.0, Nx.shape(log_var))
    {sample, _new_key} = VAE.reparameterize(prior, log_var, Nx.Random.key(0))
    {standard, _new_key} = VAE.reparameterize(prior, prior, Nx.Random.key(0))
    %{"value" => Nx.divide(sample, standard)}
  end

  defp call("convention.vector_quantization", %{options: options, inputs: inputs}) do
    cost = Keyword.fetch!(options, :commitment_cost)

    differentiate = fn encoding, codebook ->
      Nx.Defn.grad({encoding, codebook}, fn {encoding, codebook} ->
        {z_q, indices} = VQVAE.quantize(encoding, codebook)
        codes = codes(z_q, codebook, indices, z_q: "gathered")
        none = Nx.broadcast(0.0, {1, 1})
        VQVAE.loss(none, none, encoding, codes, commitment_weight: cost)
      end)
    end

    arguments = [inputs["encoding"], inputs["codebook"]]
    {encoding, codebook} = Nx.Defn.jit_apply(differentiate, arguments)
    %{"grad_encoding" => encoding, "grad_codebook" => codebook}
  end

  defp attempt("apply_encoder", options, %{"input" => input}) do
    # Parameters take their width from an example, so that it is one of the declared width.
    example = Nx.broadcast(0.0, {1, Keyword.fetch!(options, :input_size)})
    {state, predict} = initialized(VQVAE.build_encoder(network(options)), example, options)
    predict.(state, input)
  end

  defp attempt("init_codebook", options, _inputs) do
    VQVAE.init_codebook(options[:num_embeddings], options[:embedding_dim], key(options))
  end

  defp attempt("build" <> _ = function, options, _inputs) do
    apply(VQVAE, String.to_existing_atom(function), [network(options)])
  end

  defp attempt("quantize", _options, %{"z_e" => z_e, "codebook" => codebook}) do
    VQVAE.quantize(z_e, codebook)
  end

  defp attempt("commitment_loss", _options, %{"z_e" => z_e, "z_q" => z_q}) do
    VQVAE.commitment_loss(z_e, z_q)
  end

  defp attempt("codebook_loss", _options, %{"z_e" => z_e, "z_q" => z_q}) do
    VQVAE.codebook_loss(z_e, z_q)
  end

  defp attempt("loss", options, inputs), do: vqvae_loss(inputs, options)

  # Directly, `init_codebook` makes no shape of its sizes: it works where another function calls it.
  defp codebook(options) do
    sizes = [Keyword.fetch!(options, :num_embeddings), Keyword.fetch!(options, :embedding_dim)]

    draw = fn key ->
      apply(VQVAE, :init_codebook, if(options[:seed], do: sizes ++ [key], else: sizes))
    end

    Nx.Defn.jit_apply(draw, [Nx.Random.key(options[:seed] || 42)])
  end

  # What goes into the losses: what `quantize` gives, or codes by their indices.
  defp codes(z_q, codebook, indices, options) do
    if options[:z_q] == "gathered", do: Nx.take(codebook, indices, axis: 0), else: z_q
  end

  defp vqvae_loss(inputs, options) do
    %{"reconstruction" => reconstruction, "target" => target} = inputs
    %{"z_e" => z_e, "z_q" => z_q} = inputs
    VQVAE.loss(reconstruction, target, z_e, z_q, Keyword.drop(options, [:call, :seed]))
  end

  defp weight(options), do: Keyword.take(options, [:commitment_weight])

  defp of_pair(loss, %{inputs: %{"z_e" => z_e, "z_q" => z_q}}) do
    %{"loss" => loss.(z_e, z_q)}
  end

  defp gradients_of_pair(loss, %{inputs: %{"z_e" => _, "z_q" => _} = inputs}) do
    {value, gradients} = Nx.Defn.value_and_grad(inputs, &loss.(&1["z_e"], &1["z_q"]))
    Map.put(named("grad_", gradients), "loss", value)
  end

  defp key(options), do: Nx.Random.key(Keyword.fetch!(options, :seed))

  # `grad_x` is the gradient of the sum of what is drawn, by the end or moment x.
  defp draw(function, [{first, _}, {second, _}] = defaults, request) do
    %{options: options, outputs: wanted} = request
    type = String.to_atom(Keyword.get(options, :dtype, "f32"))
    shape = List.to_tuple(Keyword.get(options, :shape, []))

    # Numbers stay plain: Nx makes tensors of float32 of them.
    parameters =
      Map.new(defaults, fn {name, default} ->
        {name, number(Keyword.get(options, name, default))}
      end)

    draw = fn key, %{^first => a, ^second => b} ->
      function.(key, a, b, shape: shape, type: type)
    end

    {value, new_key} = draw.(key(options), parameters)
    found = %{"value" => value, "new_key" => new_key}

    if Enum.any?(wanted, &String.starts_with?(&1, "grad_")) do
      differentiate = fn key, parameters ->
        Nx.Defn.grad(parameters, &Nx.sum(elem(draw.(key, &1), 0)))
      end

      gradients = Nx.Defn.jit_apply(differentiate, [key(options), parameters])
      Map.merge(found, named("grad_", gradients))
    else
      found
    end
  end

  defp loss(inputs, options) do
    %{"reconstruction" => reconstruction, "target" => target} = inputs
    %{"mu" => mu, "log_var" => log_var} = inputs
    VAE.loss(reconstruction, target, mu, log_var, beta(options))
  end

  defp beta(options), do: for({:beta, beta} <- options, do: {:beta, number(beta)})

  # NaN and infinities are no plain numbers.
  defp number(value), do: if(is_atom(value), do: Nx.tensor(value), else: value)

  defp network(options) do
    for {name, value} <- Keyword.take(options, @network ++ @codes) do
      # An unknown activation is for Axon to refuse.
      {name, if(name == :activation and value, do: String.to_atom(value), else: value)}
    end
  end

  defp encoded(encoder, %{options: options, inputs: %{"input" => input}}) do
    {state, predict} = initialized(encoder, input, options)

    heads =
      case predict.(state, input) do
        %Nx.Tensor{} = z_e -> %{"z_e" => z_e}
        %{mu: mu, log_var: log_var} -> %{"mu" => mu, "log_var" => log_var}
      end

    Map.merge(named("encoder/", state.data), heads)
  end

  defp decoded(decoder, %{options: options, inputs: inputs}) do
    latent = inputs["latent"] || inputs["quantized"]
    {state, predict} = initialized(decoder, latent, options)
    Map.put(named("decoder/", state.data), "reconstruction", predict.(state, latent))
  end

  defp initialized(model, input, options) do
    {init, predict} = Axon.build(model, seed: Keyword.fetch!(options, :seed))
    {init.(Nx.to_template(input), Axon.ModelState.empty()), predict}
  end

  # Arrays by name; those of a layer are `layer/array`.
  defp named(prefix, arrays) do
    for {name, value} <- arrays, reduce: %{} do
      found when is_struct(value, Nx.Tensor) -> Map.put(found, "#{prefix}#{name}", value)
      found -> Map.merge(found, named("#{prefix}#{name}/", value))
    end
  end
end

GoldenEdifice.main(System.argv())
