%% Erlang's plain processes, for the benchmarks of Bastion. Each run is one measurement: it warms up with a tenth, measures by its own clock,
%% and prints nanoseconds, or bytes.
-module(bastion_actors).
-export([main/1]).

-define(LOAD, 3).
-define(RING, 500).

main([Row, Count]) ->
    io:format("~b~n", [row(list_to_atom(Row), list_to_integer(Count))]),
    halt(0).

row(tell_from_one, N) -> warm(fun(Many) -> tell(Many, 1) end, N);
row(tell_from_eight, N) -> warm(fun(Many) -> tell(Many, 8) end, N);
row(ask, N) -> warm(fun ask/1, N);
row(ring, N) -> warm(fun ring/1, N);
row(spawn_ask_stop, N) -> warm(fun spawn_ask_stop/1, N);
row(bytes, N) -> bytes(N).

warm(Work, N) -> Work(max(8, N div 10)), Work(N).

now_ns() -> erlang:monotonic_time(nanosecond).

tell(N, Senders) ->
    Host = self(),
    Each = N div Senders,
    Receiver = spawn_link(fun() -> add(Each * Senders, 0, Host) end),
    Start = now_ns(),
    [spawn_link(fun() -> send(Receiver, Each) end) || _ <- lists:seq(1, Senders)],
    Total = ?LOAD * Each * Senders,
    receive {total, Total, At} -> At - Start end.

send(_, 0) -> ok;
send(Receiver, N) -> Receiver ! {add, ?LOAD}, send(Receiver, N - 1).

add(0, Total, Host) -> Host ! {total, Total, now_ns()};
add(N, Total, Host) -> receive {add, Load} -> add(N - 1, Total + Load, Host) end.

worker() ->
    receive
        {get, From, Ref} -> From ! {Ref, ?LOAD}, worker();
        stop -> ok
    end.

question(Worker) ->
    Ref = make_ref(),
    Worker ! {get, self(), Ref},
    receive {Ref, ?LOAD} -> ok end.

ask(N) ->
    Worker = spawn_link(fun worker/0),
    Start = now_ns(),
    question_often(Worker, N),
    Took = now_ns() - Start,
    Worker ! stop,
    Took.

question_often(_, 0) -> ok;
question_often(Worker, N) -> question(Worker), question_often(Worker, N - 1).

ring(Hops) ->
    Host = self(),
    First = spawn_link(fun() -> receive {precede, Next} -> member(Next, Host) end end),
    Last = lists:foldl(
             fun(_, Next) -> spawn_link(fun() -> member(Next, Host) end) end,
             First, lists:seq(2, ?RING)),
    First ! {precede, Last},
    Start = now_ns(),
    First ! {token, Hops},
    receive {ended, At} -> At - Start end.

member(Next, Host) ->
    receive
        {token, 0} -> Host ! {ended, now_ns()}, Next ! stop;
        {token, Left} -> Next ! {token, Left - 1}, member(Next, Host);
        stop -> Next ! stop
    end.

spawn_ask_stop(N) ->
    Start = now_ns(),
    live(N),
    now_ns() - Start.

live(0) -> ok;
live(N) ->
    {Worker, Monitor} = spawn_monitor(fun worker/0),
    question(Worker),
    Worker ! stop,
    receive {'DOWN', Monitor, _, _, normal} -> live(N - 1) end.

bytes(N) ->
    Before = erlang:memory(total),
    Workers = [spawn_link(fun worker/0) || _ <- lists:seq(1, N)],
    question(lists:last(Workers)),
    erlang:garbage_collect(),
    After = erlang:memory(total),
    true = is_process_alive(hd(Workers)),
    After - Before.
