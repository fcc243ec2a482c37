%% Erlang's own supervisor, for the benchmarks of Bastion. Each run is one measurement: it warms up, measures by its own clock, and prints
%% nanoseconds (or bytes), one number or several on one line.
%%
%% The supervisor of OTP 25 keeps the times of all restarts of its period in a list and walks it at each restart. So that this is not what
%% is measured, a supervisor that restarts much is replaced by a new one now and then, and its making is not in the time.
-module(bastion_bench).
-behaviour(supervisor).
-export([main/1, init/1]).
-export([start_ender/1, ender/1, start_worker/1, worker/1, start_crasher/3, crasher/3, start_idle/1, idle/1]).

%% Restarts of one supervisor.
-define(RESTARTS, 100).
%% Children of a storm, and how many crashes of some at a time there are before there is a new supervisor.
-define(CHILDREN, 1000).
-define(SOME_OF_ALL, 250).
%% The count is kept, not taken: how many there are makes no difference, except to how long it takes to start them.
-define(IDLE, 10000).

main([Row, Count]) ->
    logger:set_primary_config(level, none),
    process_flag(trap_exit, true),
    Figures = row(list_to_atom(Row), list_to_integer(Count)),
    io:format("~s~n", [lists:join(" ", [integer_to_list(Figure) || Figure <- Figures])]),
    halt(0).

row(spawn_all, N) -> warm(fun spawn_all/1, N);
row(spawn_each, N) -> warm(fun spawn_each/1, N);
row(restart_error, N) -> warm(fun(Many) -> restart(Many, fail) end, N);
row(restart_panic, N) -> warm(fun(Many) -> restart(Many, panic) end, N);
row(storm_some, N) -> storm(1000, some()), storm(N, some());
row(storm_all, N) -> storm(1000, ?CHILDREN), storm(N, ?CHILDREN);
row(one_for_all, N) -> warm(fun one_for_all/1, N);
row(counts, N) -> [counts(N)];
row(ordered, N) -> start_and_stop(1000, ordered), start_and_stop(N, ordered);
row(dynamic, N) -> start_and_stop(1000, dynamic), start_and_stop(N, dynamic);
row(bytes, N) -> [bytes(N)].

warm(Work, N) -> Work(max(1, N div 10)), [Work(N)].

%% As many as there are workers.
some() -> erlang:system_info(schedulers_online).

now_ns() -> erlang:monotonic_time(nanosecond).

init({dynamic, Restart, Start}) ->
    {ok, {flags(simple_one_for_one), [child(only, Restart, Start)]}};
init({Strategy, Restart, Start, N}) ->
    {ok, {flags(Strategy), [child(Id, Restart, Start) || Id <- lists:seq(1, N)]}}.

flags(Strategy) -> #{strategy => Strategy, intensity => 1000000000, period => 1}.

child(Id, Restart, Start) -> #{id => Id, restart => Restart, start => Start}.

supervisor(Description) ->
    {ok, Supervisor} = supervisor:start_link(?MODULE, Description),
    Supervisor.

stop(Supervisor) ->
    Monitor = monitor(process, Supervisor),
    exit(Supervisor, shutdown),
    receive {'DOWN', Monitor, _, _, _} -> ok end,
    receive {'EXIT', Supervisor, _} -> ok end.

%% Workers that end by themselves.

start_ender(Tell) -> {ok, proc_lib:spawn_link(?MODULE, ender, [Tell])}.

ender(nobody) -> ok;
ender({Counter, N, Host}) -> arrive(Counter, N, Host).

arrive(Counter, N, Host) ->
    case atomics:add_get(Counter, 1, 1) of
        N -> Host ! all_there;
        _ -> ok
    end.

spawn_all(N) ->
    Counter = atomics:new(1, []),
    Supervisor = supervisor({dynamic, temporary, {?MODULE, start_ender, [{Counter, N, self()}]}}),
    Start = now_ns(),
    [{ok, _} = supervisor:start_child(Supervisor, []) || _ <- lists:seq(1, N)],
    receive all_there -> ok end,
    until_empty(Supervisor),
    Took = now_ns() - Start,
    stop(Supervisor),
    Took.

until_empty(Supervisor) ->
    case proplists:get_value(active, supervisor:count_children(Supervisor)) of
        0 -> ok;
        _ -> until_empty(Supervisor)
    end.

spawn_each(N) ->
    Supervisor = supervisor({dynamic, temporary, {?MODULE, start_ender, [nobody]}}),
    Start = now_ns(),
    [begin
         {ok, Worker} = supervisor:start_child(Supervisor, []),
         Monitor = monitor(process, Worker),
         receive {'DOWN', Monitor, _, _, _} -> ok end
     end || _ <- lists:seq(1, N)],
    Took = now_ns() - Start,
    stop(Supervisor),
    Took.

%% A worker that fails, is restarted, and answers.

start_worker(Host) -> {ok, proc_lib:spawn_link(?MODULE, worker, [Host])}.

worker(Host) ->
    Host ! {up, self()},
    serve(Host).

serve(Host) ->
    receive
        {get, Ref} -> Host ! {Ref, 3}, serve(Host);
        fail -> exit(told_to_fail);
        panic -> error(told_to_panic)
    end.

restart(N, How) -> restart(N, How, 0).

restart(0, _, Took) -> Took;
restart(N, How, Took) ->
    Now = min(N, ?RESTARTS),
    Supervisor = supervisor({one_for_one, permanent, {?MODULE, start_worker, [self()]}, 1}),
    Worker = receive {up, Pid} -> Pid end,
    Start = now_ns(),
    fail(Worker, Now, How),
    More = now_ns() - Start,
    stop(Supervisor),
    restart(N - Now, How, Took + More).

fail(_, 0, _) -> ok;
fail(Worker, N, How) ->
    Worker ! How,
    Next = receive {up, Pid} -> Pid end,
    Ref = make_ref(),
    Next ! {get, Ref},
    receive {Ref, 3} -> ok end,
    fail(Next, N - 1, How).

%% A storm. All at once, a supervisor sees each of its children crash once, and is replaced.

start_crasher(Host, Crashes, Number) ->
    {ok, proc_lib:spawn_link(?MODULE, crasher, [Host, Crashes, Number])}.

crasher(Host, Crashes, Number) ->
    Now = now_ns(),
    Latency = case atomics:get(Crashes, Number) of
                  0 -> none;
                  At -> Now - At
              end,
    Host ! {up, self(), Latency},
    receive fail -> ok end,
    %% Erlang's clock begins far below 0, which means that it has not crashed.
    atomics:put(Crashes, Number, now_ns()),
    exit(told_to_fail).

storm(N, AtOnce) -> percentiles(lists:sort(storm(N, AtOnce, []))).

storm(N, _, Latencies) when N =< 0 -> Latencies;
storm(N, AtOnce, Latencies) ->
    Now = min(N, case AtOnce of ?CHILDREN -> ?CHILDREN; _ -> ?SOME_OF_ALL end),
    Crashes = atomics:new(?CHILDREN, []),
    Supervisor = supervisor({dynamic, permanent, {?MODULE, start_crasher, [self(), Crashes]}}),
    [{ok, _} = supervisor:start_child(Supervisor, [Number]) || Number <- lists:seq(1, ?CHILDREN)],
    Up = [receive {up, Pid, none} -> Pid end || _ <- lists:seq(1, ?CHILDREN)],
    {First, Rest} = lists:split(min(Now, AtOnce), Up),
    [Pid ! fail || Pid <- First],
    More = blow(Now, Now - length(First), Rest, []),
    stop(Supervisor),
    storm(N - Now, AtOnce, More ++ Latencies).

%% Whoever is up again has the next one crash.
blow(0, _, _, Latencies) -> Latencies;
blow(Left, 0, Rest, Latencies) ->
    receive {up, _, Latency} -> blow(Left - 1, 0, Rest, [Latency | Latencies]) end;
blow(Left, Untold, [Next | Rest], Latencies) ->
    receive {up, _, Latency} ->
        Next ! fail,
        blow(Left - 1, Untold - 1, Rest, [Latency | Latencies])
    end.

percentiles(Sorted) ->
    All = list_to_tuple(Sorted),
    At = fun(Permille) -> element(max(1, (size(All) * Permille + 999) div 1000), All) end,
    [At(500), At(990), At(999), element(size(All), All)].

%% Workers that wait.

start_idle(Tell) -> {ok, proc_lib:spawn_link(?MODULE, idle, [Tell])}.

idle({Counter, N, Host}) ->
    arrive(Counter, N, Host),
    receive
        fail -> exit(told_to_fail);
        stop -> ok
    end.

one_for_all(N) ->
    Counter = atomics:new(1, []),
    Start = {?MODULE, start_idle, [{Counter, 2 * N, self()}]},
    Supervisor = supervisor({one_for_all, permanent, Start, N}),
    {_, First, _, _} = lists:keyfind(1, 1, supervisor:which_children(Supervisor)),
    until(Counter, N),
    Begin = now_ns(),
    First ! fail,
    receive all_there -> ok end,
    Took = now_ns() - Begin,
    stop(Supervisor),
    Took.

until(Counter, N) ->
    case atomics:get(Counter, 1) of
        N -> ok;
        _ -> erlang:yield(), until(Counter, N)
    end.

of_idle(N) ->
    Counter = atomics:new(1, []),
    Supervisor = supervisor({dynamic, temporary, {?MODULE, start_idle, [{Counter, N, self()}]}}),
    [{ok, _} = supervisor:start_child(Supervisor, []) || _ <- lists:seq(1, N)],
    receive all_there -> ok end,
    Supervisor.

counts(N) ->
    Supervisor = of_idle(?IDLE),
    count(Supervisor, max(1, N div 10)),
    Start = now_ns(),
    count(Supervisor, N),
    now_ns() - Start.

count(Supervisor, N) ->
    [?IDLE = proplists:get_value(active, supervisor:count_children(Supervisor))
     || _ <- lists:seq(1, N)].

start_and_stop(N, ordered) ->
    Counter = atomics:new(1, []),
    Begin = now_ns(),
    Start = {?MODULE, start_idle, [{Counter, N, self()}]},
    Supervisor = supervisor({one_for_one, permanent, Start, N}),
    receive all_there -> ok end,
    started(Supervisor, Begin);
start_and_stop(N, dynamic) ->
    Begin = now_ns(),
    started(of_idle(N), Begin).

started(Supervisor, Begin) ->
    Started = now_ns(),
    stop(Supervisor),
    [Started - Begin, now_ns() - Started].

bytes(N) ->
    Before = erlang:memory(total),
    Supervisor = of_idle(N),
    erlang:garbage_collect(),
    true = is_process_alive(Supervisor),
    erlang:memory(total) - Before.
