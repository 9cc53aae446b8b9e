"""A module whose frames are wide: 600 values live across a call to itself, without end."""

count = 600
every = range(count)
loads = "".join(f"(local.set $v{i} (i64.load offset={8 * i} (i32.const 0)))" for i in every)
stores = "".join(f"(i64.store offset={8 * i} (i32.const 0) (local.get $v{i}))" for i in every)
params = "".join(f"(local $v{i} i64)" for i in every)
print(f"""(module (memory 1)
(func $wide {params} {loads} (call $wide) {stores})
(func (export "handler") (call $wide)))""")
