//! Bastion 0.4: children that are told things and asked things, and the macro that tells them apart.
//!
//! `cargo run -p examples --example classic_send_and_receive`

use bastion::prelude::*;

/// A shop: keeps a stock, sells from it, and hears announcements.
async fn shop(ctx: BastionContext) -> Result<(), ()> {
    let mut stock = 0_u32;
    loop {
        msg! { ctx.recv().await?,
            ref announcement: &'static str => println!("shop: {announcement}");
            delivered: u32 => stock += delivered;
            wanted: u32 =!> {
                let sold = wanted.min(stock);
                stock -= sold;
                answer!(ctx, sold).map_err(|_| ())?;
            };
            unknown: _ => println!("shop: what is {unknown:?}?");
        }
    }
}

/// A customer: asks the shop, and tells the program what it got.
async fn customer(ctx: BastionContext, shop: ChildRef, receipt: Distributor) -> Result<(), ()> {
    let answer = ctx.ask(&shop.addr(), 4_u32).map_err(|_| ())?;
    msg! { answer.await?,
        sold: u32 => receipt.tell_one(sold).map_err(|_| ())?;
        _: _ => return Err(());
    }
    Ok(())
}

fn main() {
    Bastion::init();
    let shops = Bastion::spawn(shop).expect("the system was not stopped");
    let shop = shops.elems()[0].clone();
    shop.tell_anonymously(10_u32).expect("it has not ended");
    Bastion::broadcast("open").expect("the system was not stopped");

    let receipts = Distributor::named("receipts");
    let (give, take) = std::sync::mpsc::channel();
    Bastion::children(|children| {
        children.with_distributor(receipts).with_exec(move |ctx| {
            let give = give.clone();
            async move {
                loop {
                    MessageHandler::new(ctx.recv().await?)
                        .on_tell(|sold: u32, _sender| give.send(sold).expect("main waits"))
                        .on_fallback(|_, _| ());
                }
            }
        })
    })
    .expect("the system was not stopped");
    Bastion::start();

    Bastion::children(|children| {
        children.with_redundancy(3).with_exec(move |ctx| customer(ctx, shop.clone(), receipts))
    })
    .expect("the system was not stopped");

    let mut sold: Vec<u32> = take.iter().take(3).collect();
    sold.sort_unstable();
    println!("sold: {sold:?}");
    assert_eq!(sold, [2, 4, 4]);
    Bastion::stop();
    Bastion::block_until_stopped();
}
